"""The data part of an experiment: where the labelled sentences lie, and further data sets for train and dev."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SET_IT = "set it in the file, or on the command line as {}=PATH"

Format = Annotated[str | None, Field(description="a format by name; guessed from the ending where absent")]
Options = Annotated[dict[str, Any], Field(description="options of the format (a column mapping, say)")]
LabelMap = Annotated[str | None, Field(description="a file that merges, renames or drops labels")]
OnError = Annotated[Literal["stop", "skip"], Field(description="skip: leave broken records out, and count them")]


class Strict(BaseModel):
    """A part of an experiment: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AlsoConfig(Strict):
    """A further data set: a share of its sentences goes to dev, and the others, or a share of them, to train."""

    path: str | None = Field(None, description="a file, a folder, or the name of a bundled data set")
    format: Format = None
    options: Options = Field(default_factory=dict)
    codebook: str | None = Field(None, description="a codebook of its own; that of the data where absent")
    label_map: LabelMap = None
    on_error: OnError = "stop"
    share: float = Field(1.0, gt=0, le=1, description="the share, by whole documents, of what goes to train")
    dev: float = Field(0.0, ge=0, lt=1, description="the share of its sentences, by whole groups, that goes to dev")


class DataConfig(Strict):
    """Where the labelled sentences lie: one `path` that is split, or files `train`, `dev`, `test`."""

    path: str | None = Field(None, description="a file, a folder, or the name of a bundled data set")
    train: str | None = Field(None, description="a file or folder of its own for train")
    dev: str | None = Field(None, description="one for dev; cut from train by group where absent")
    test: str | None = Field(None, description="one for test")
    format: Format = None
    options: Options = Field(default_factory=dict)
    codebook: str | None = Field(None, description="a codebook of your own; the bundled one where absent")
    label_map: LabelMap = None
    on_error: OnError = "stop"
    also: list[AlsoConfig] = Field(default_factory=list, description="further data sets, never for test")

    @field_validator("also", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, dict) and list(value) == [str(number) for number in range(len(value))]:
            value = list(value.values())  # as overrides of single data sets leave it
        return [{"path": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else value

    @model_validator(mode="after")
    def _is_whole(self) -> DataConfig:
        if self.path is None and self.train is None:
            raise ValueError("neither `path` nor `train` is set; " + SET_IT.format("data.path"))
        if self.path is not None and (self.train or self.dev or self.test):
            raise ValueError("`path` is split, so `train`, `dev` and `test` cannot stand beside it")
        if self.path is None and self.test is None:
            raise ValueError("`test` is not set; " + SET_IT.format("data.test"))
        missing = [f"data.also.{number}.path" for number, one in enumerate(self.also) if one.path is None]
        if missing:
            raise ValueError(f"`{missing[0]}` is not set; " + SET_IT.format(missing[0]))
        return self

    @property
    def files(self) -> dict[str, str]:
        """The paths by key, without those of further data sets."""
        return {key: path for key in ("path", "train", "dev", "test") if (path := getattr(self, key)) is not None}

    @property
    def formats(self) -> dict[tuple[str | int, ...], str]:
        """Every format that is named, by its place below `data`."""
        places: dict[tuple[str | int, ...], str | None] = {("format",): self.format}
        places |= {("also", number, "format"): one.format for number, one in enumerate(self.also)}
        return {place: name for place, name in places.items() if name is not None}
