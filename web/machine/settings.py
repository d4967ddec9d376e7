"""The settings. Each overrides those before it: defaults, config.toml, RECOLLECT_*, flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from web.library.errors import LibraryError

CONFIG = platformdirs.user_config_path("recollect") / "config.toml"


class EngineSettings(BaseModel):
    """The section [model]: a model that another program serves. Without a name the first one that
    it lists is used; vectors come from the second address where one is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    name: str = ""
    key: str = Field(default="", repr=False)
    embeddings_url: str = ""
    embeddings_name: str = ""
    embeddings_key: str = Field(default="", repr=False)


class Settings(BaseSettings):
    """Frozen once read."""

    model_config = SettingsConfigDict(
        env_prefix="RECOLLECT_", toml_file=CONFIG, frozen=True, extra="forbid"
    )

    data: Path = platformdirs.user_data_path("recollect")
    model: str | EngineSettings = "pocket"  # a name, a directory, or the address of an engine
    models: Path = platformdirs.user_data_path("recollect-models")  # where downloads are kept
    context: int = Field(default=8192, ge=1024, le=262_144)  # tokens read at once; takes memory
    drafter: bool = True  # draft ahead where the model has a drafter
    embedding: Literal["bfloat16", "int8"] = "bfloat16"  # of the token embedding
    port: int = Field(default=7878, ge=0, le=65535)
    rescan_s: float = Field(default=600.0, gt=0)
    network_poll_s: float = Field(default=120.0, gt=0)  # no events come from a network
    missing_grace_days: float = Field(default=7.0, ge=0)  # until a sudden loss is accepted
    audit_days: float = Field(default=7.0, ge=0)  # until a file is hashed again; 0 is never
    understand_hours: str = ""  # like 22-6; any time where it is empty
    understand_on_battery: bool = True
    understand_max_load: float = Field(default=1.0, gt=0, le=1)  # share of others' processor use
    least_free_mb: float = Field(default=500.0, ge=0)  # indexing stops before the disk is full
    threads: int | None = Field(default=None, ge=1)  # of the processor, for the model
    unload_after_s: float | None = Field(default=None, gt=0)  # an idle model is unloaded after this

    @field_validator("understand_hours")
    @classmethod
    def check_hours(cls, hours: str) -> str:
        from indexer.ingest.constraints import parse_hours

        parse_hours(hours)
        return hours

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(overrides: Mapping[str, Any]) -> Settings:
    """The settings, `overrides` first. Raises LibraryError naming the one that cannot be used,
    and where it is set."""
    try:
        return Settings(**overrides)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise LibraryError(
            "setting",
            f"The setting “{name}” cannot be used: {first['msg']}. It is set in {CONFIG} "
            f"or RECOLLECT_{name.upper()}.",
        ) from problem
