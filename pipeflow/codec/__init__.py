"""The codec: the bytes of an answer become a page of records, and records become JSON again.

Pure, and without any knowledge of how the bytes were fetched.
"""

from pipeflow.codec.encoding import to_dict
from pipeflow.codec.pages import PageDecoder, decode_page, page_decoder

__all__ = ["PageDecoder", "decode_page", "page_decoder", "to_dict"]
