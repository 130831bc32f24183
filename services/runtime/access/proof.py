"""What a caller of other services shows of itself, and by which authorities it knows them."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from services.runtime.access.certificates import check_authorities, check_pair
from services.runtime.access.files import read_file


@dataclass(frozen=True, slots=True)
class Proof:
    """PEM files, and a file that holds one API key. Without `ca` calls travel in plaintext."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    api_key_file: Path | None = None

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """For a secure channel; None for plaintext. Raises AccessFileError."""
        if self.ca_file is None:
            return None
        check_authorities(self.ca_file)
        if self.certificate_file is None or self.key_file is None:
            return grpc.ssl_channel_credentials(read_file(self.ca_file))
        check_pair(self.certificate_file, self.key_file, of_caller=True)
        return grpc.ssl_channel_credentials(
            read_file(self.ca_file), read_file(self.key_file), read_file(self.certificate_file)
        )


NO_PROOF = Proof()
