"""Loops that numba compiles, and where it keeps them."""

import logging

import numba
import pytest

from models.compiled import _warn, compiled


def test_without_a_directory_for_compiled_code_one_warning_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each start would take seconds more, and nobody would know why."""

    def njit(*, nogil: bool, cache: bool = False) -> object:
        if cache:  # as numba does on a read-only home
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    _warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert compiled(lambda x: x + 1)(1) == 2  # type: ignore[no-untyped-def]
    assert [record.message for record in caplog.records] == [
        "compiled code cannot be kept, because neither the package nor the home directory can be "
        "written: each start takes some seconds more; name a directory with NUMBA_CACHE_DIR"
    ]
