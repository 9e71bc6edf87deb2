"""Which cluster and namespace a command is about: its options over the environment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.kafka.config import ClusterSettings
    from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    """The options of the root command. None: not given, the environment decides."""

    bootstrap: str | None
    namespace: str | None

    def settings(self) -> "Settings":
        """Return the settings of the process. Raises SettingsError."""
        from streams.settings import load  # here: `leadstream --help` needs no Kafka client

        given = {"bootstrap": self.bootstrap, "namespace": self.namespace}
        return load(**{name: value for name, value in given.items() if value is not None})

    def cluster(self) -> "ClusterSettings":
        """Return how to reach Kafka. Raises SettingsError."""
        return self.settings().cluster
