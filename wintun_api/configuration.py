"""Read settings from flags, environment variables and a TOML file, in this order of precedence."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from wintun_api.declaration import PREFIX, Declaration, declarations
from wintun_api.errors import InvalidSettings
from wintun_api.paste import trimmed_values

T = TypeVar("T")


def read(settings: Callable[..., T], config: Path | None, flags: Mapping[str, Any]) -> T:
    """Return settings of a class that `declaration` can read.

    Args:
        settings: The class; it is called with every setting by its name.
        config: The TOML file, or None.
        flags: The values of flags, by the names of their fields. None counts as not given.

    Raises:
        InvalidSettings: A value is wrong, or `config` cannot be read. Each sentence names the
            flag, the variable or the key.
    """
    if config is not None and not config.is_file():
        raise InvalidSettings(f"The configuration file {config} does not exist.")
    declared = declarations(settings)
    given = {key: value for key, value in flags.items() if value is not None}
    try:
        loaded = _model(declared, config)(**given)
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidSettings(*_explain(rows, declared, given, config)) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"{config} is not a valid TOML file: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"Cannot read {config}: {error}.") from None
    return settings(**dict(loaded))


class _Sources(BaseSettings):
    """Take each setting from the first source that has it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # an empty variable is how many files unset one
        enable_decoding=False,  # a variable holds names separated by commas, not JSON
        extra="forbid",
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, given: Any) -> Any:
        return trimmed_values(given)

    @field_validator("*")
    @classmethod
    def _check_path(cls, value: Any) -> Any:
        if isinstance(value, Path):
            try:
                os.fsencode(value)
            except UnicodeEncodeError:
                raise ValueError(
                    f"has letters that the locale's encoding, {sys.getfilesystemencoding()}, does "
                    "not have; use a UTF-8 locale, such as LC_ALL=C.UTF-8"
                ) from None
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put flags before the environment and that before the file; use no other source."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _model(declared: Mapping[str, Declaration], config: Path | None) -> type[BaseSettings]:
    class WithFile(_Sources):
        model_config = SettingsConfigDict(toml_file=config)

    fields: dict[str, Any] = {name: (_type(one), _field(one)) for name, one in declared.items()}
    made: type[BaseSettings] = create_model("Given", __base__=WithFile, **fields)
    return made


def _type(declared: Declaration) -> Any:
    checked = declared.type
    if declared.several:
        checked = Annotated[checked, BeforeValidator(_split)]
    if declared.check is not None:
        checked = Annotated[checked, AfterValidator(declared.check)]
    return checked


def _field(declared: Declaration) -> Any:
    bounds = {"ge": declared.at_least, "gt": declared.above, "le": declared.at_most}
    given: dict[str, Any] = {name: value for name, value in bounds.items() if value is not None}
    if declared.factory is not None:
        return Field(default_factory=declared.factory, **given)
    return Field(declared.default, **given)


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _explain(
    rows: Iterable[ErrorDetails],
    declared: Mapping[str, Declaration],
    given: Mapping[str, Any],
    config: Path | None,
) -> Iterable[str]:
    variables = {name.upper() for name, value in os.environ.items() if value}
    for row in rows:
        name = str(row["loc"][0]) if row["loc"] else ""
        message = row["msg"].removeprefix("Value error, ")
        if name not in declared:
            place = "flag" if name in given else f"key of {config}"
            yield f"There is no setting {name} ({place})." if name else f"{message}."
        elif name in given:
            yield f"{declared[name].flag}: {message}."
        elif declared[name].variable in variables:
            yield f"{declared[name].variable}: {message}."
        else:
            yield f"{name} in {config}: {message}."
