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
DATA = platformdirs.user_data_path("recollect")
MODELS = platformdirs.user_data_path("recollect-models")


class EngineSettings(BaseModel):
    """The section [model]: a model that another program serves. Without a name the first one that
    it lists is used; vectors come from the second address where one is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="The address of the engine, up to and with `/v1`.")
    name: str = Field(default="", description="Its model; by default the first that it lists.")
    key: str = Field(default="", repr=False, description="What it asks for as a bearer token.")
    embeddings_url: str = Field(default="", description="Another address, for the vectors.")
    embeddings_name: str = Field(default="", description="The model there.")
    embeddings_key: str = Field(default="", repr=False, description="The token there.")


class Settings(BaseSettings):
    """Frozen once read."""

    model_config = SettingsConfigDict(
        env_prefix="RECOLLECT_", toml_file=CONFIG, frozen=True, extra="forbid"
    )

    data: Path = Field(default=DATA, description="The folder of the index.")
    model: str | EngineSettings = Field(
        default="pocket",
        description="A model by its name, a directory, or the address of an engine.",
    )
    models: Path = Field(default=MODELS, description="The folder of models that were downloaded.")
    context: int = Field(
        default=8192,
        ge=1024,
        le=262_144,
        description="Tokens that are read at once; more take memory.",
    )
    drafter: bool = Field(default=True, description="Draft ahead where the model has a drafter.")
    embedding: Literal["bfloat16", "int8"] = Field(
        default="bfloat16", description="How the embedding of tokens is kept in memory."
    )
    port: int = Field(default=7878, ge=0, le=65535, description="Of the server; 0 is any free one.")
    rescan_s: float = Field(
        default=600.0, gt=0, description="Seconds between two full looks at the watched folders."
    )
    network_poll_s: float = Field(
        default=120.0, gt=0, description="The same for network drives, which send no events."
    )
    missing_grace_days: float = Field(
        default=7.0, ge=0, description="Days until files that vanished all at once are given up."
    )
    audit_days: float = Field(
        default=7.0,
        ge=0,
        description="Days until an unchanged file is compared with its hash; 0 is never.",
    )
    understand_hours: str = Field(
        default="", description="Hours in which files are understood, like 22-6; empty is any time."
    )
    understand_on_battery: bool = Field(
        default=True, description="Understand files on battery, too."
    )
    understand_max_load: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Wait while other programs take a larger share of processors.",
    )
    least_free_mb: float = Field(
        default=500.0, ge=0, description="Megabytes that stay free: indexing stops before."
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Of the processor, for the model; by default as fits the machine.",
    )
    unload_after_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds until an idle model leaves the memory; by default never.",
    )

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
