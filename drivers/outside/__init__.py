"""What comes from outside, and what goes out: one place for each kind.

``names``
    Labels, stream names, markers and whatever else others have written: cleaned where it
    enters, shortened where it is shown, and made a file name where it becomes one.
``texts``
    The one function that opens a file which a user can name, and JSON and YAML of it, with
    bounds for size and depth.
``strict_json``
    The one writer of JSON.
``settings``
    The base classes of whatever is read by name: every number in them is bounded.
``own_directory``
    Directories that nobody else may write to.
"""
