"""Thumbnails: instances drawn small, as pydicom decodes them."""

from __future__ import annotations

from dsig.hookspecs import ThumbnailerSpec, hookimpl

__all__ = ["dsig_thumbnailers"]


@hookimpl
def dsig_thumbnailers() -> list[ThumbnailerSpec]:
    """`pydicom`."""
    return [
        ThumbnailerSpec(
            name="pydicom",
            summary="the middle frame, with the decoders that pydicom finds",
            factory="dsig_thumbnails.instance:InstanceThumbnailer",
            requires="pip install 'dsig[thumbnails]'",
        )
    ]
