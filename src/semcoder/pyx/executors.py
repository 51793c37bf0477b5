"""Where the tasks of a build run: processes of this machine, a Ray cluster, or a Slurm cluster; datatrove's executors.

Guarantees: the same files whichever it is, since a task's output depends on configuration and shard alone; tasks that
are done are not done again; a task that failed is an error that names it, never a build with a part missing.
It does not make folders shared: with Ray on several machines, and with Slurm, every machine must see the build folder,
the sources and the same Python environment at the same paths.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder.errors import MissingExtra, SemcoderError, UsageError
from semcoder.pyx.config import BuildConfig
from semcoder.pyx.lifeline import die_with_this_process

#: Gigabytes of memory that a task may be given: a sandbox's child may have 256 MiB, a shard's rows are small.
_MEMORY_GB = 2


class Submitted(UsageError):
    """The tasks went to a cluster that works on them while this process does not wait: start the build again later."""

    exit_code = 3


def local(pipeline: list[Any], tasks: int, workers: int, logs: Path) -> Any:
    """Datatrove's executor of this machine, whose helper processes end with this one."""
    try:
        from datatrove.executor import LocalPipelineExecutor  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("datatrove", "data") from None
    die_with_this_process()
    return LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=str(logs))


def prepare(config: BuildConfig) -> None:
    """Find out now what the engine would fail on later. Raises `MissingExtra`, `UsageError`."""
    if config.executor == "ray" and importlib.util.find_spec("ray") is None:
        raise MissingExtra("ray", "ray")
    if config.executor == "slurm":
        if shutil.which("sbatch") is None:
            raise UsageError("executor slurm needs the command sbatch; run the build on a machine of the Slurm cluster")
        if not config.slurm_partition:
            raise UsageError("executor slurm needs slurm_partition, the partition that its jobs go to")


def run_tasks(config: BuildConfig, pipeline: list[Any], logs: Path) -> None:
    """Run one task per shard where the configuration says.

    Raises `SemcoderError` where a task failed, `Submitted` where a cluster has it now, `MissingExtra`, `UsageError`.
    """
    engine = _ENGINES[config.executor](config, pipeline, logs)
    if config.executor == "slurm":
        _submit(engine, logs)
    else:
        try:
            engine.run()
        finally:
            _let_go(config)
    left = list(engine.get_incomplete_ranks())
    if left:
        shown = ", ".join(map(str, left[:5]))
        raise SemcoderError(f"tasks failed (shards {shown}); see {logs}, then start the build again")


def _let_go(config: BuildConfig) -> None:
    """End the Ray that was started for this build; a cluster that was there before stays."""
    if config.executor == "ray" and not config.ray_address:
        importlib.import_module("ray").shutdown()


def working(logs: Path) -> bool:
    """Whether Slurm has tasks of this build now, which may be in the middle of a file."""
    note = logs / "submitted.txt"
    return note.exists() and _still_there(note.read_text(encoding="utf-8").strip())


def _submit(engine: Any, logs: Path) -> None:
    """Give Slurm what is left to do, unless it still works on that. Raises `Submitted` where there is anything left."""
    left = len(engine.get_incomplete_ranks())
    if not left:
        return
    note = logs / "submitted.txt"
    job = note.read_text(encoding="utf-8").strip() if note.exists() else ""
    if not (job and _still_there(job)):
        try:
            engine.run()
        except (subprocess.CalledProcessError, IndexError) as error:
            raise UsageError(
                f"sbatch refused the job ({error}); its script is {logs / 'launch_script.slurm'}"
            ) from None
        job = str(engine.job_id)
        note.write_text(job, encoding="utf-8")
    raise Submitted(
        f"Slurm has {left} tasks (job {job}, script {logs / 'launch_script.slurm'}); "
        "start the same build again when they are done"
    )


def _still_there(job: str) -> bool:
    """Whether Slurm has this job waiting or running."""
    try:
        seen = subprocess.run(["squeue", "-h", "-j", job], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return seen.returncode == 0 and bool(seen.stdout.strip())


def _local(config: BuildConfig, pipeline: list[Any], logs: Path) -> Any:
    return local(pipeline, config.shards, config.workers, logs)


def _ray(config: BuildConfig, pipeline: list[Any], logs: Path) -> Any:
    ray: Any = importlib.import_module("ray")  # an extra that has no place in the types of who does without it
    from datatrove.executor.ray import RayPipelineExecutor  # type: ignore[import-untyped]

    if not ray.is_initialized():
        where = {"address": config.ray_address} if config.ray_address else {"num_cpus": config.workers}
        try:
            ray.init(**where, include_dashboard=False, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError) as error:
            raise UsageError(f"no Ray cluster at {config.ray_address!r}: {error}") from None
    return RayPipelineExecutor(
        pipeline,
        tasks=config.shards,
        workers=config.workers,
        mem_per_cpu_gb=_MEMORY_GB / 4 if not config.ray_address else _MEMORY_GB,
        logging_dir=str(logs),
    )


def _slurm(config: BuildConfig, pipeline: list[Any], logs: Path) -> Any:
    from datatrove.executor import SlurmPipelineExecutor

    activate = Path(sys.prefix) / "bin" / "activate"
    return SlurmPipelineExecutor(
        pipeline,
        tasks=config.shards,
        workers=config.workers,
        time=config.slurm_time,
        partition=config.slurm_partition,
        mem_per_cpu_gb=_MEMORY_GB,
        job_name="semcoder",
        qos=None,
        venv_path=str(activate) if activate.exists() else None,
        logging_dir=str(logs.resolve()),
        max_array_size=-1,
    )


_ENGINES: dict[str, Callable[[BuildConfig, list[Any], Path], Any]] = {
    "local": _local,
    "ray": _ray,
    "slurm": _slurm,
}
