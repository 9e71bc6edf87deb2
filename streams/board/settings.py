"""The board's own settings, from the environment: `LEADSTREAM_BOARD_…`."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BoardSettings(BaseSettings):
    """Where the board listens, who may look, who may act.

    keys: "name:sha256,name:sha256" (`leadstream board new-key NAME` makes one). oidc_*: an OpenID Connect provider to
    log in by (code flow with PKCE); oidc_claim: the claim of the ID token that names a person. Who has a verified
    address of the roster acts under the rep id, others under the token's subject. is_open: nobody is asked, on
    loopback only. actors: who may act: names of keys, rep ids, values of the claim, `board` for who comes in by
    is_open; comma-separated, "*" for all, empty for nobody. public_url: "https://board.example", as browsers see it.
    session_secret: signs the sessions; without one they end with the process. session_hours: until a login is asked
    for again. keep_days: for so long after its end a lead is shown, without contact data.
    """

    model_config = SettingsConfigDict(env_prefix="LEADSTREAM_BOARD_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8090, ge=0, le=65_535)
    keys: str = ""
    is_open: bool = False
    actors: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_claim: str = "email"
    public_url: str = ""
    session_secret: SecretStr | None = None
    keep_days: float = Field(default=30, ge=1, le=400)
    session_hours: float = Field(default=12, gt=0, le=24 * 30)

    @property
    def is_configured(self) -> bool:
        """Tell whether anybody can be let in."""
        return bool(self.keys or self.oidc_issuer or self.is_open)

    def may_act(self, name: str) -> bool:
        """Tell whether a person may act."""
        allowed = {one.strip() for one in self.actors.split(",") if one.strip()}
        return "*" in allowed or name in allowed
