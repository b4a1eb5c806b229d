"""The search for a core: a trial is an array, judged by estimated cycles and predicted LUTs."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import golden
from golden.data.form import require_form
from golden.data.reading import printable

from ..fpga.devices import find_device
from ..isa.core_config import SPIKE_CODES
from ..tools.process import ToolError
from .journal import mend
from .point import POINT_FORM, Point, evaluate


__all__ = ["open_study", "search"]


#: What is searched. A column has at least as many lanes as a pixel has channels.
COLUMNS = (1, 2, 3, 4, 6, 8, 12, 16)
LANES = (8, 12, 16, 24, 32, 48, 64, 96, 128)
BUSES = (0, 64, 128, 256)

#: Name of the study. One whose points have other fields has another name, in the same storage.
STUDY = "addend-2"

#: What a storage must hold of a search.
_IDENTITY = {"model": str, "device": str, "images": int}


def search(model_path, device_name, storage, *, trials, workers, images=None):
    """Tries cores until the storage holds so many trials, by evolution from the best (NSGA-II).

    Parameters
    ----------
    model_path : Path
    device_name : str
    storage : str
        Address of a database, or path of a journal file; several processes and machines may use
        the same one.
    trials : int
    workers : int
        Processes.
    images : uint8 array, shape (images, height, width, channels), optional
        For additions that are counted in place of estimated from mean counts.

    Returns
    -------
    list of Point
        Of all trials in the storage, each once.

    Raises
    ------
    ToolError
        If optuna is missing, or the storage cannot be used.
    """
    optuna = _optuna()
    if "://" not in storage:
        # Whole, or the lock, which is a link beside it, leads nowhere.
        storage = str(Path(storage).resolve())
        _mend(optuna, Path(storage))
    study = open_study(optuna, storage)
    model = golden.load(model_path)
    identity = {
        "model": model.name,
        "device": device_name,
        "images": 0 if images is None else len(images),
    }
    known = study.user_attrs.get("identity")
    if known is None:
        study.set_user_attr("identity", identity)
        known = identity
    require_form(known, _IDENTITY, f"{storage}: the search's identity")
    if known != identity:
        raise ValueError(
            f"{storage} holds a search for {known['model']} on {known['device']} with "
            f"{known['images']} images: use another --storage or --out"
        )
    additions = {} if images is None else _additions(model, images)
    with ProcessPoolExecutor(workers) as pool:
        for future in [
            pool.submit(_work, model_path, device_name, additions, storage, trials, seed)
            for seed in range(workers)
        ]:
            future.result()
    points = {}
    for trial in study.get_trials(deepcopy=False):
        if "point" in trial.user_attrs:
            point = trial.user_attrs["point"]
            require_form(point, POINT_FORM, f"{storage}: the point of trial {trial.number}")
            points[tuple(sorted(trial.params.items()))] = Point(**point)
    return list(points.values())


def _optuna():
    try:
        import optuna
    except ImportError:
        raise ToolError(
            "The search needs optuna: install it with `pip install 'addend[explore]'`"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_study(optuna, storage):
    """The study of a storage, which is made if it is missing.

    Parameters
    ----------
    optuna : module
    storage : str
        As for ``search``; the path of a journal is absolute.

    Raises
    ------
    ToolError
        If the storage cannot be used.
    """
    try:
        place = storage
        if "://" not in storage:
            journal = optuna.storages.journal
            place = optuna.storages.JournalStorage(journal.JournalFileBackend(storage))
        return optuna.create_study(
            study_name=STUDY,
            storage=place,
            load_if_exists=True,
            directions=["minimize", "minimize"],
        )
    except ImportError as error:
        raise ToolError(f"{storage} needs a database driver: {error}") from None
    except Exception as error:
        # Whatever the driver of the database raises.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ToolError(f"{storage} cannot be used: {printable(reason)}") from error


def _mend(optuna, path):
    """Makes a journal that a crash may have torn one to go on with, while nobody writes to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = optuna.storages.journal.JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        mend(path)
    finally:
        lock.release()


def _additions(model, images):
    """Additions per image, by spike code and layer."""
    tensors = golden.run(model, images, trace=True).tensors
    return {
        code.value: {
            name: number / len(images)
            for name, number in golden.additions(model, tensors, code).items()
        }
        for code in SPIKE_CODES
    }


def _work(model_path, device_name, additions, storage, trials, seed):
    """One process: trials until the storage holds as many as are wanted."""
    optuna = _optuna()
    study = open_study(optuna, storage)
    model, device = golden.load(model_path), find_device(device_name)
    finished = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    if len(study.get_trials(deepcopy=False, states=finished)) >= trials:
        return
    # Evolution begins again from what the storage holds; a random start differs by process.
    study.sampler = optuna.samplers.NSGAIISampler(
        seed=seed + len(study.get_trials(deepcopy=False)), population_size=24
    )
    study.optimize(
        lambda trial: _try(optuna, model, device, additions, trial),
        callbacks=[optuna.study.MaxTrialsCallback(trials, states=finished)],
    )


def _try(optuna, model, device, additions, trial):
    chosen = {
        "columns": trial.suggest_categorical("columns", COLUMNS),
        "lanes": trial.suggest_categorical("lanes", LANES),
        "spike_code": trial.suggest_categorical("spike_code", [code.value for code in SPIKE_CODES]),
        "bus_width": trial.suggest_categorical("bus_width", BUSES),
    }
    try:
        point = evaluate(model, device, additions, **chosen)
    except ValueError as error:
        trial.set_user_attr("refused", str(error))
        raise optuna.TrialPruned from None
    trial.set_user_attr("point", vars(point))
    trial.set_constraint("luts", point.lut / device.lut - 1)
    trial.set_constraint("blocks", point.blocks / device.bram - 1)
    return point.cycles, point.lut
