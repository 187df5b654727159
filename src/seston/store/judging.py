"""Decide of each particle that an import brings: new, there already, more of one that is there, or another's id."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seston.particle import Annotation, Note, Particle, Sample, Skipped
from seston.store.acquisitions import Acquisitions
from seston.store.columns import particles_to_table
from seston.store.completing import as_particle, complete, restore
from seston.store.examine import Examined
from seston.store.identifiers import Identifiers
from seston.store.known import Content, Known, content_of
from seston.store.plausibility import flag_particles, with_flags
from seston.store.reports import ImportReport
from seston.store.rows import rows_to_particles
from seston.store.sample_rows import join_samples, samples_to_table, table_to_samples
from seston.store.source_annotations import SourceAnnotations
from seston.store.tables import Table
from seston.store.uniqueness import drop_doubles, first_with_same_content

__all__ = ["Judge"]

_COMMIT_ROWS = (768, 8192)
_COMMIT_SHARE = 16
"""A commit holds at most this part of what the import has taken so far, so that a kill costs little of it."""
_COMMIT_BYTES = 32 * 1024 * 1024
_COMMIT_SECONDS = 4.0
_KINDS = ("picture", "profile", "list of parameters")
_OTHER_PARTICLE = (
    "the data set has a particle of this name with another {}; if these are other particles, "
    "import them under a name of their own: --source NAME"
)
_SIMULATED = ("simulated", "semi-simulated")
_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What a particle takes from its sample where it says nothing itself."""

    licence: str
    attribution: str
    flags: tuple[str, ...]


class Judge:
    """Takes particles in the order of their source and commits them some thousand at a time.

    Parameters
    ----------
    particles, samples
        The tables; the caller holds the lock for imports.
    history
        Takes what the files say about who named a particle.
    licence, attribution
        For samples and particles whose files do not say.
    """

    def __init__(
        self,
        particles: Table,
        samples: Table,
        *,
        history: SourceAnnotations | None = None,
        licence: str | None = None,
        attribution: str | None = None,
    ) -> None:
        self._particles = particles
        self._samples = samples
        self._history = history
        self._licence = licence or "unknown"
        self._attribution = attribution or ""
        self._known = Known(particles)
        self._sample_records = {sample.id: sample for sample in table_to_samples(samples.read(samples.schema.names))}
        self._acquisitions = Acquisitions(self._sample_records.values())
        self._acquisitions.forget_clashes()
        self._defaults = {sample.id: _defaults_of(sample) for sample in self._sample_records.values()}
        self._changed_samples: dict[str, Sample] = {}
        self._new: dict[str, Examined] = {}
        self._completed: dict[str, Examined] = {}
        self._bytes = 0
        self._oldest = time.monotonic()
        self._relabelled: list[str] = []
        self._remeasured: list[str] = []
        self._refused: set[str] = set()
        self._repeating: list[str] = []
        self._scale_bars: Counter[str] = Counter()
        self.counts = dict.fromkeys(
            ("added", "completed", "already_there", "images", "profiles", "pairs", "decoded"), 0
        )
        self.skipped: list[Skipped] = []
        self.notes: list[Note] = []

    def take_sample(self, sample: Sample) -> None:
        """Remember a sample; it is committed before its particles."""
        if sample.licence in ("", "unknown"):
            sample = replace(sample, licence=self._licence)
        if not sample.attribution:
            sample = replace(sample, attribution=self._attribution)
        old = self._sample_records.get(sample.id)
        if old is None:
            self._acquisitions.add(sample)
        joined = join_samples(old, sample) if old is not None else sample
        if joined is not old:
            self._sample_records[sample.id] = self._changed_samples[sample.id] = joined
        self._defaults[sample.id] = _defaults_of(joined)

    def needs_decoding(self, particles: Sequence[Particle]) -> list[bool]:
        """Tell whose picture has to be decoded: not that of a particle whose picture the data set has."""
        stored = self._known.find([particle.id for particle in particles])
        return [content is None or not content.image for content in stored]

    def take(
        self,
        path: str,
        examined: Sequence[Examined],
        *,
        source: str = "",
        annotations: Sequence[Annotation] = (),
    ) -> None:
        """Take some particles of one file or folder, in order, and what it says about who named them."""
        contents = [content_of(item) for item in examined]
        stored = self._known.find([item.particle.id for item in examined])
        repeats = self._known.repeats(contents)
        for item, content, old, repeat in zip(examined, contents, stored, repeats, strict=True):
            self.counts["decoded"] += item.decoded
            item.source = item.source or source
            self._scale_bars[path] += item.decoded and item.scale_bar is not None
            for fault in item.faults:
                self.skipped.append(Skipped(path, item.particle.id, fault))
            if not item.is_empty:
                self._place(path, item, content, old, repeat)
        self._take_annotations(examined, annotations)
        self._known.settle()
        if self._is_due():
            self.commit()

    def commit(self) -> None:
        """Write what was taken since the last commit."""
        if self._changed_samples:
            changed = self._flag_samples()
            self._samples.replace(samples_to_table(changed), "id")
        new, completed = list(self._new.values()), self._join_with_stored()
        self._flag_values([*new, *completed])
        if _share_content(new, list(self._completed.values())):
            # One commit, so that a kill cannot part them: which of the two repeats the other must not depend on that.
            self._particles.replace(particles_to_table([*new, *completed]), "id")
        else:
            if new:
                self._particles.append(particles_to_table(new))
            if completed:
                self._particles.replace(particles_to_table(completed), "id")
        self._changed_samples, self._new, self._completed, self._bytes = {}, {}, {}, 0
        if self._history is not None:
            self._history.flush()

    def finish(self, seconds: float) -> ImportReport:
        """Commit the rest, see that no id stands twice, and report."""
        self.commit()
        changed = self.counts["added"] + self.counts["completed"]
        if changed and (doubles := drop_doubles(self._particles)):
            path = str(self._particles.path.parent)
            self.notes.append(Note(path, f"another program wrote {doubles} of the same particles; the copies are gone"))
        pairs = first_with_same_content(self._particles, self._repeating)
        self._note_completed()
        self._note_scale_bars()
        self._note_duplicates(pairs)
        self._note_labels()
        self._note_parameters()
        self._note_annotations()
        self.notes += self._acquisitions.notes()
        return ImportReport(
            **self.counts,
            duplicates=len(self._repeating),
            duplicate_of=pairs,
            skipped=self.skipped,
            notes=self.notes,
            seconds=seconds,
        )

    def _place(
        self, path: str, item: Examined, content: Content, old: Content | None, repeat: tuple[bool, bool]
    ) -> None:
        particle_id = item.particle.id
        old = self._known.find_recent(particle_id) or old
        if old is None:
            self._complete_from_sample(item)
            self._flag_repeats(item, content, repeat)
            self._new[particle_id] = item
            self._count(item, Content(0, 0, 0, 0), content, "added")
            self._known.add(particle_id, content)
            return
        if old.image and content.image == old.image and old.listmode and content.listmode not in (0, old.listmode):
            self._remeasured.append(particle_id)  # byte for byte the same picture: it is this particle
            content = content._replace(listmode=old.listmode)
        if other := [
            kind for kind, ours, new in zip(_KINDS, old, content, strict=False) if ours and new not in (0, ours)
        ]:
            self.skipped.append(Skipped(path, particle_id, _OTHER_PARTICLE.format(" and another ".join(other))))
            self._refused.add(particle_id)
            return
        if old.label and content.label not in (0, old.label):
            self._relabelled.append(particle_id)
        gained = Content(*(0 if ours else new for ours, new in zip(old, content, strict=True)))
        if any(gained):
            self._take_more(item, old, gained, repeat)
        else:
            self.counts["already_there"] += 1

    def _take_annotations(self, examined: Sequence[Examined], annotations: Sequence[Annotation]) -> None:
        """Keep what is said of particles that were taken, and no longer call those relabelled."""
        if annotations and self._history is not None:
            there = {item.particle.id for item in examined if not item.is_empty} - self._refused
            self._history.take(said for said in annotations if said.particle_id in there)
            named = {said.particle_id for said in annotations}
            self._relabelled = [particle_id for particle_id in self._relabelled if particle_id not in named]
        self._refused.clear()

    def _take_more(self, item: Examined, old: Content, gained: Content, repeat: tuple[bool, bool]) -> None:
        particle_id = item.particle.id
        self._complete_from_sample(item)
        self._flag_repeats(item, gained, repeat)
        self._put_together(particle_id, item)
        joined = Content(*(ours or new for ours, new in zip(old, gained, strict=True)))
        self._count(item, old, joined, "completed")
        self._known.add(particle_id, joined)

    def _put_together(self, particle_id: str, item: Examined) -> None:
        """Add to a particle that waits for its commit, or else to one that is committed."""
        for waiting in (self._new, self._completed):
            if particle_id in waiting:
                waiting[particle_id] = restore(complete(as_particle(waiting[particle_id]), as_particle(item)))
                return
        self._completed[particle_id] = item

    def _join_with_stored(self) -> list[Examined]:
        if not self._completed:
            return []
        rows = Identifiers(self._particles).rows_of(list(self._completed))
        stored = rows_to_particles(self._particles.take(rows, self._particles.schema.names))
        return [restore(complete(old, as_particle(self._completed[old.id]))) for old in stored]

    def _count(self, item: Examined, before: Content, after: Content, what: str) -> None:
        self.counts[what] += 1
        self.counts["images"] += bool(after.image and not before.image)
        self.counts["profiles"] += bool(after.profile and not before.profile)
        self.counts["pairs"] += bool(after.image and after.profile and not (before.image and before.profile))
        if not self._bytes:
            self._oldest = time.monotonic()
        self._bytes += 500 + len(item.image or b"") + (0 if item.profile is None else item.profile.nbytes)

    def _flag_repeats(self, item: Examined, content: Content, repeat: tuple[bool, bool]) -> None:
        """Flag a particle whose picture or profile, byte for byte, an earlier particle has."""
        recent = self._known.repeats_recent(content)
        if (content.image and (repeat[0] or recent[0])) or (content.profile and (repeat[1] or recent[1])):
            self._repeating.append(item.particle.id)
            if "duplicate" not in item.flags:
                item.flags = (*item.flags, "duplicate")

    def _flag_samples(self) -> list[Sample]:
        """Flag what the changed samples say of place and time where it cannot be true."""
        flagged = with_flags(list(self._changed_samples.values()))
        self._sample_records |= {sample.id: sample for sample in flagged}
        return flagged

    def _flag_values(self, items: list[Examined]) -> None:
        """Flag what particles themselves say of place and time where it cannot be true."""
        found = flag_particles([item.particle for item in items], self._sample_records)
        for item, flags in zip(items, found, strict=True):
            item.flags = (*item.flags, *(flag for flag in flags if flag not in item.flags))

    def _complete_from_sample(self, item: Examined) -> None:
        defaults = self._defaults.get(item.particle.sample_id)
        if item.licence in ("", "unknown"):
            item.licence = defaults.licence if defaults else self._licence
        if not item.attribution:
            item.attribution = defaults.attribution if defaults else self._attribution
        if defaults and defaults.flags:
            item.flags = (*item.flags, *(flag for flag in defaults.flags if flag not in item.flags))

    def _is_due(self) -> bool:
        waiting = len(self._new) + len(self._completed)
        return bool(waiting) and (
            waiting >= self._rows_a_commit()
            or self._bytes >= _COMMIT_BYTES
            or time.monotonic() - self._oldest >= _COMMIT_SECONDS
        )

    def _rows_a_commit(self) -> int:
        taken = sum(self.counts[what] for what in ("added", "completed", "already_there"))
        fewest, most = _COMMIT_ROWS
        return min(most, max(fewest, taken // _COMMIT_SHARE))

    def _note_scale_bars(self) -> None:
        for path, number in self._scale_bars.items():
            if number:
                pictures = "1 picture" if number == 1 else f"{number:,} pictures"
                self.notes.append(Note(path, f"a scale bar is burned into {pictures}: it is kept out of measurements"))

    def _note(self, text: str) -> None:
        self.notes.append(Note(str(self._particles.path.parent), text))

    def _note_completed(self) -> None:
        if completed := self.counts["completed"]:
            self._note(
                f"{completed:,} particles that were there got a picture, profile, parameters or label that they lacked"
            )

    def _note_duplicates(self, pairs: list[tuple[str, str]]) -> None:
        for particle_id, first in pairs[:_NAMED]:
            self._note(f"{particle_id} repeats {first}, byte for byte; kept and flagged")
        if len(pairs) > _NAMED:
            self._note(f"{len(pairs) - _NAMED:,} more particles repeat earlier ones; all are flagged")

    def _note_annotations(self) -> None:
        if self._history is not None and (added := self._history.added):
            self._note(f"{added:,} annotations of the files, with who made them and when, are now in the history")

    def _note_labels(self) -> None:
        if self._relabelled:
            self._note(
                f"{len(self._relabelled):,} particles now have another label in their files "
                f"({self._relabelled[0]}, …); the data set keeps the first one: use `seston annotate` to change it"
            )

    def _note_parameters(self) -> None:
        if self._remeasured:
            self._note(
                f"{len(self._remeasured):,} particles with the same picture now have other parameters in their files "
                f"({self._remeasured[0]}, …); the data set keeps the first ones"
            )


def _defaults_of(sample: Sample) -> _Defaults:
    flags = tuple(flag for flag in sample.flags if flag in _SIMULATED)
    return _Defaults(sample.licence, sample.attribution, flags)


def _share_content(new: list[Examined], completed: list[Examined]) -> bool:
    hashes = {text for item in completed for text in (item.image_hash, item.profile_hash) if text}
    return any(item.image_hash in hashes or item.profile_hash in hashes for item in new) if hashes else False
