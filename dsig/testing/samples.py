"""Sample files: a small image, and what strangers may have done to a signed one."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

__all__ = ["faults", "unsigned_file"]

PATIENT = b"Roe^Richard"


def unsigned_file() -> bytes:
    """A secondary capture image of 16 by 16 pixels in explicit VR little endian, with a sequence and private data."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.10.1")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = Dataset()
    data_set.file_meta = meta
    data_set.SOPClassUID, data_set.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = "1.2.826.0.1.3680043.10.2", "1.2.826.0.1.3680043.10.3"
    data_set.StudyDate, data_set.StudyTime, data_set.ContentDate = "20260102", "030405", "20260102"
    data_set.Modality, data_set.ConversionType, data_set.InstanceNumber = "OT", "SYN", "1"
    data_set.PatientName, data_set.PatientID, data_set.StudyID = PATIENT.decode(), "4711", "1"
    referenced = Dataset()
    referenced.ReferencedSOPClassUID = meta.MediaStorageSOPClassUID
    referenced.ReferencedSOPInstanceUID = "1.2.826.0.1.3680043.10.4"
    data_set.ReferencedImageSequence = [referenced]
    data_set.private_block(0x0009, "DSIG TESTING", create=True).add_new(0x01, "LO", "private")
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows = data_set.Columns = 16
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 8, 8, 7, 0
    data_set.PixelData = bytes(range(256))
    data_set["PixelData"].VR = "OB"
    stream = BytesIO()
    data_set.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def faults(signed: bytes) -> Mapping[str, bytes]:
    """Copies of a signed `unsigned_file`, each wrong in one way; no verifier may pass any of them."""
    return {
        "another patient": _changed(signed, PATIENT, 0),
        "another pixel": _changed(signed, bytes(range(256)), 100),
        "another referenced image": _changed(signed, b"1.2.826.0.1.3680043.10.4", 20),
        "another date of signing": _changed(signed, b"\x00\x04\x05\x01DT", 8),
        "cut in the signature": signed[:-40],
        "bytes behind the data set": signed + b"\x10\x00\x10\x00PN\x04\x00Doe ",
    }


def _changed(signed: bytes, around: bytes, offset: int) -> bytes:
    """With one digit, letter or pixel changed, so many bytes from the beginning of the only `around`."""
    if signed.count(around) != 1:
        raise ValueError("this is no signed copy of unsigned_file()")
    at = signed.index(around) + offset
    return signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
