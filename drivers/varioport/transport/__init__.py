"""Where a device's bytes come from.

``port``, ``access``
    A serial port; its stable name, who may open it and who has it.
``capture``, ``capture_file``
    Raw bytes with their times of arrival in a file, and from there in the device's place.
``link``
    Either of them, opened again when it was lost.
"""
