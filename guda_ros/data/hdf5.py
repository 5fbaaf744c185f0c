"""What an HDF5 file claims to hold, looked at before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from h5py import Dataset, File, Group

#: Bytes that gzip makes of one at most, and of a data set without any that are taken anyway.
_PACKED, _FREE = 1100, 2**16


def check_claims(file: File) -> None:
    """
    Refuse an HDF5 file whose arrays are larger than what it stores, or lie elsewhere.

    A reader allocates what a damaged file claims before it finds out that there is nothing.

    :raises ValueError: naming the array.
    """
    import h5py

    def look(name: str, item: Dataset | Group) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.is_virtual or item.external:
            raise ValueError(f'{name} refers to other files')
        packed = _PACKED if item.compression else 1
        if item.nbytes > _FREE + packed * item.id.get_storage_size():
            raise ValueError(
                f'{name} claims {item.nbytes} bytes and stores {item.id.get_storage_size()}'
            )

    file.visititems(look)
