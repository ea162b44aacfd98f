"""The codec: the bytes of an answer become a page of records, and records become JSON again.

Pure, and without any knowledge of how the bytes were fetched.
"""

from pipeflow.codec.encoding import to_dict
from pipeflow.codec.pages import decode_page

__all__ = ["decode_page", "to_dict"]
