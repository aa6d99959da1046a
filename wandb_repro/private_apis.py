"""What we use of other libraries that they do not document. Pure data.

Each use fails closed: where a name is gone, training goes on and the record says what is missing,
and a rerun that cannot hold publishing back ends. ``tests/test_private_apis.py`` names the entry
that an upgrade broke, and finds uses that are not listed here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

VERSIONS = {
    "IPython": "9.18",
    "keras": "3.15",
    "python": "3.13",
    "tensorflow": "2.21",
    "wandb": "0.31",
}
"""The newest version of each library that the list was checked against."""

Shape: TypeAlias = Literal["attribute", "field", "variable", "operation"]


class PrivateApi(NamedTuple):
    """One name that a library may change without notice."""

    owner: str
    """Module, class or function that has it."""
    name: str
    lost: str
    """What is missing from a record or a rerun without it."""
    used_by: tuple[str, ...]
    """Our modules, below ``wandb_repro``."""
    shape: Shape = "attribute"
    """``field`` is set on instances, ``variable`` is local to the function ``owner``, and
    ``operation`` is one of TensorFlow's ops."""
    parameters: tuple[str, ...] | None = None
    """Those that a call of ours needs, in order; None where we do not call it."""
    is_changed: bool = False
    """Whether we assign to it."""

    @property
    def library(self) -> str:
        """Its key in `VERSIONS`."""
        top = self.owner.partition(".")[0]
        return top if top in VERSIONS else "python"


def _wandb() -> tuple[PrivateApi, ...]:
    patched = "child.wandb_patch"
    held = "child.no_publish"
    return (
        PrivateApi(
            "wandb.sdk.wandb_run",
            "TeardownHook",
            "the record is closed by a wrapped run.finish instead of by W&B's own end of the run",
            ("recording.process_exit",),
            parameters=("call", "stage"),
        ),
        PrivateApi(
            "wandb.sdk.wandb_run.TeardownStage",
            "EARLY",
            "as TeardownHook",
            ("recording.process_exit",),
        ),
        PrivateApi(
            "wandb.sdk.wandb_run.Run",
            "_teardown_hooks",
            "as TeardownHook",
            ("recording.process_exit",),
            "field",
        ),
        PrivateApi(
            "wandb.sdk.wandb_run.Run",
            "finish",
            "a run that is finished before the process ends is closed when the process ends",
            ("recording.process_exit",),
            is_changed=True,
        ),
        PrivateApi(
            "wandb.sdk.wandb_settings.Settings",
            "_offline",
            "an offline run of an old W&B counts as online",
            ("recording.wandb_run",),
        ),
        PrivateApi(
            "wandb",
            "init",
            "an unchanged script is not recorded; a rerun ends before it trains",
            ("child.run_script", patched),
            is_changed=True,
        ),
        PrivateApi(
            "wandb",
            "api",
            "the fits of an unchanged script that starts no run are not recorded",
            ("child.run_script",),
        ),
        PrivateApi(
            "wandb",
            "agent",
            "a rerun ends before it trains",
            (patched,),
            is_changed=True,
        ),
        PrivateApi(
            "wandb",
            "sweep",
            "a rerun ends before it trains",
            (patched, held),
            is_changed=True,
        ),
        PrivateApi(
            "wandb",
            "attach",
            "nothing: the module has no second handle of a run then",
            (patched,),
            is_changed=True,
        ),
        PrivateApi(
            "wandb",
            "Artifact",
            "a rerun ends before it trains: it could not keep artifacts from being published",
            (held,),
            is_changed=True,
        ),
        PrivateApi(
            "wandb.Artifact",
            "__class__",
            "a script cannot use an artifact that a rerun did not publish, and may fail",
            ("child.held_artifact",),
            is_changed=True,
        ),
        PrivateApi(
            "wandb",
            "Api",
            "a rerun ends before it trains: it could not keep the API from writing",
            ("child.no_api_writes",),
            is_changed=True,
        ),
        *(
            PrivateApi(
                f"wandb.apis.public.{owner}",
                name,
                "nothing while each public method that leads to it is held back",
                ("child.allowed_calls",),
                is_changed=True,
            )
            for owner, name in (("Api", "_create_run"), ("summary.HTTPSummary", "_write"))
        ),
    )


def _keras() -> tuple[PrivateApi, ...]:
    iterator = "keras.src.trainers.epoch_iterator.EpochIterator"
    trainer = "keras.src.backend.tensorflow.trainer"
    fit = f"{trainer}.TensorFlowTrainer.fit"
    state = "keras.src.backend.common.global_state"
    batches = "digests of batches are recorded as unavailable"
    position = "checkpoints are not exact: the position in the data is not known"
    return (
        PrivateApi(
            state,
            "get_global_attribute",
            "the script's own seed, and whether a model was built before, are unknown",
            (
                "recording.seeding",
                "keras.checkpoint.rng_state",
                "keras.checkpoint.training_state",
            ),
            parameters=("name",),
        ),
        PrivateApi(
            "keras.src.random.seed_generator",
            "global_seed_generator",
            "a checkpoint cannot put Keras' global generator back and is refused",
            ("keras.checkpoint.rng_state",),
            parameters=(),
        ),
        PrivateApi(
            "keras.Model",
            "fit",
            "the fits of an unchanged script are not recorded",
            ("recording.patch_fit",),
            parameters=("self", "x", "y", "batch_size", "epochs", "verbose", "callbacks"),
            is_changed=True,
        ),
        PrivateApi(
            "keras.src.callbacks.callback_list.CallbackList",
            "callbacks",
            "weights are read where our callback is in the list, not after all others",
            ("keras.callback", "keras.checkpoint.callback", "recording.patch_fit"),
            "field",
            is_changed=True,
        ),
        *(
            PrivateApi(fit, name, lost, users, "variable")
            for name, lost, users in (
                (
                    "epoch_iterator",
                    f"{batches}; {position}",
                    ("keras.batch_tap", "keras.checkpoint.data_position", "keras.shuffled_dataset"),
                ),
                ("x", position, ("keras.checkpoint.training_state",)),
                ("val_x", position, ("keras.checkpoint.training_state",)),
                (
                    "epochs",
                    "arrays in the same order every epoch are not warned of",
                    ("keras.running_fit", "keras.checkpoint.callback"),
                ),
                (
                    "initial_epoch",
                    "shuffled() begins with the order of epoch 0",
                    ("keras.shuffled_dataset", "keras.checkpoint.callback"),
                ),
                (
                    "epoch",
                    "shuffled() keeps the order of the first epoch",
                    ("keras.shuffled_dataset",),
                ),
            )
        ),
        PrivateApi(
            iterator,
            "_get_iterator",
            f"{batches}; {position}",
            ("keras.batch_tap", "keras.checkpoint.data_position"),
            parameters=("self",),
            is_changed=True,
        ),
        PrivateApi(
            iterator,
            "_current_iterator",
            f"{batches}; {position}",
            ("keras.batch_tap", "keras.checkpoint.data_position"),
            "field",
            is_changed=True,
        ),
        PrivateApi(
            iterator,
            "_steps_seen",
            position,
            ("keras.checkpoint.data_position",),
            "field",
            is_changed=True,
        ),
        PrivateApi(
            iterator,
            "data_adapter",
            f"{position}; arrays in the same order every epoch are not warned of",
            ("keras.running_fit", "keras.checkpoint.data_position", "keras.shuffled_dataset"),
            "field",
        ),
        PrivateApi(
            f"{trainer}.TFEpochIterator",
            "_distributed_dataset",
            batches,
            ("keras.batch_tap", "keras.checkpoint.variable_state"),
            "field",
            is_changed=True,
        ),
        PrivateApi(
            f"{trainer}.TensorFlowTrainer",
            "_eval_epoch_iterator",
            "checkpoints are not exact where the validation data is shuffled",
            ("keras.checkpoint.callback",),
            "field",
        ),
        PrivateApi(
            "keras.src.trainers.trainer.Trainer",
            "_initial_epoch",
            "a training cannot go on from a checkpoint and says so",
            ("keras.checkpoint.callback",),
            "field",
            is_changed=True,
        ),
        PrivateApi(
            "keras.src.trainers.trainer.Trainer",
            "_compile_config",
            "loss and metrics are recorded as the model has them, not as compile was given them",
            ("capture.machine.model_config",),
            "field",
        ),
        PrivateApi(
            "keras.src.trainers.data_adapters.tf_dataset_adapter.TFDatasetAdapter",
            "_dataset",
            position,
            ("keras.checkpoint.data_position",),
            "field",
        ),
        PrivateApi(
            "keras.src.trainers.data_adapters.tf_dataset_adapter",
            "TFDatasetAdapter",
            "state inside a pipeline is not reported when a checkpoint is written",
            ("keras.checkpoint.unsaved_state",),
        ),
        PrivateApi(
            "keras.src.trainers.data_adapters.py_dataset_adapter.PyDatasetAdapter",
            "py_dataset",
            "shuffled() keeps the order of epoch 0",
            ("keras.shuffled_dataset",),
            "field",
        ),
        PrivateApi(
            "keras.src.trainers.data_adapters.py_dataset_adapter.PyDatasetAdapter",
            "shuffle",
            "shuffled() is shuffled once more by Keras",
            ("keras.shuffled_dataset",),
            "field",
            is_changed=True,
        ),
        PrivateApi(
            "keras.src.layers.layer.Layer",
            "_flatten_layers",
            "no checkpoint is written: what a layer keeps beside its variables is not known",
            ("keras.checkpoint.unsaved_state", "keras.checkpoint.variable_state"),
            parameters=("self",),
        ),
        PrivateApi(
            "keras.src.metrics.accuracy_metrics.BinaryAccuracy",
            "_direction",
            "whether more is better is guessed from the metric's name",
            ("keras.checkpoint.best_epoch",),
            "field",
        ),
        *(
            PrivateApi(
                f"keras.src.callbacks.{module}",
                name,
                "the callback counts from zero again after a checkpoint",
                ("keras.checkpoint.callback_state",),
                "field",
                is_changed=True,
            )
            for module, names in (
                (
                    "model_checkpoint.ModelCheckpoint",
                    ("_batches_seen_since_last_saving", "_last_batch_seen", "_current_epoch"),
                ),
                ("swap_ema_weights.SwapEMAWeights", ("_ema_weights_in_model",)),
            )
            for name in names
        ),
    )


def _tensorflow() -> tuple[PrivateApi, ...]:
    python = "tensorflow.python"
    dataset = f"{python}.data.ops.dataset_ops.DatasetV2"
    prefetch = f"{python}.data.ops.prefetch_op._PrefetchDataset"
    graphs = "keras.checkpoint.graph_ops"
    generators = "keras.checkpoint.rng_state"
    unsaved = "no checkpoint is written: what a pipeline or step keeps for itself is not known"
    one_by_one = "variables are read one by one, which takes longer"
    state = "a checkpoint lacks the state of TensorFlow's generators and says so"
    return (
        PrivateApi(
            f"{python}.framework.config",
            "is_op_determinism_enabled",
            "whether deterministic operations are on is recorded as unavailable",
            ("capture.machine.backends",),
            parameters=(),
        ),
        PrivateApi(
            f"{python}.eager.context",
            "context",
            f"{state}; {one_by_one}",
            ("keras.variables", generators, "keras.checkpoint.training_state"),
            parameters=(),
        ),
        PrivateApi(
            f"{python}.eager.context",
            "global_seed",
            "a seed that the script gave TensorFlow alone is unknown",
            ("recording.seeding",),
            parameters=(),
        ),
        *(
            PrivateApi(
                f"{python}.eager.context.Context", name, state, users, "field", is_changed=True
            )
            for name, users in (
                ("_rng", (generators,)),
                ("_seed", (generators, "keras.checkpoint.training_state")),
            )
        ),
        PrivateApi(
            f"{python}.ops.stateful_random_ops",
            "global_generator",
            state,
            (generators,),
        ),
        PrivateApi(
            f"{python}.eager.execute",
            "execute",
            one_by_one,
            ("keras.variables",),
            parameters=("op_name", "num_outputs", "inputs", "attrs", "ctx"),
        ),
        PrivateApi("tensorflow", "_ReadVariablesOp", one_by_one, ("keras.variables",), "operation"),
        PrivateApi(
            f"{python}.framework.ops.EagerTensor",
            "_numpy_internal",
            one_by_one,
            ("keras.variables",),
        ),
        PrivateApi(
            f"{python}.ops.resource_variable_ops",
            "ResourceVariable",
            one_by_one,
            ("keras.variables",),
        ),
        PrivateApi(
            dataset,
            "_inputs",
            f"a pipeline is digested with its arrangement, or not at all; {unsaved}",
            ("capture.dataset.pipelines", graphs, "keras.checkpoint.unsaved_state"),
            parameters=("self",),
        ),
        PrivateApi(
            dataset,
            "_functions",
            f"a pipeline is not digested; {unsaved}",
            ("capture.dataset.pipelines", graphs),
            parameters=("self",),
        ),
        PrivateApi(
            f"{dataset}._GeneratorState",
            "_generator",
            unsaved,
            (graphs,),
            "field",
        ),
        *(
            PrivateApi(prefetch, name, "batches are digested while training waits", users, "field")
            for name, users in (
                ("_input_dataset", ("keras.batch_tap",)),
                ("_buffer_size", ("keras.batch_tap",)),
            )
        ),
        PrivateApi(
            f"{python}.data.ops.prefetch_op",
            "_PrefetchDataset",
            "batches are digested while training waits",
            ("keras.batch_tap",),
        ),
        PrivateApi(
            f"{python}.eager.polymorphic_function.polymorphic_function.Function",
            "_list_all_concrete_functions",
            unsaved,
            (graphs,),
            parameters=("self",),
        ),
        PrivateApi(
            f"{python}.framework.func_graph.FuncGraph", "_functions", unsaved, (graphs,), "field"
        ),
        PrivateApi(
            f"{python}.ops.script_ops",
            "_py_funcs",
            "the Python function inside a pipeline is reported without its name",
            (graphs,),
        ),
        PrivateApi(
            f"{python}.ops.script_ops.EagerFunc",
            "_func",
            "the Python function inside a pipeline is reported without its name",
            (graphs,),
            "field",
        ),
    )


def _others() -> tuple[PrivateApi, ...]:
    shell = "IPython.core.interactiveshell.InteractiveShell"
    rerun = ("child.run_notebook",)
    return (
        PrivateApi(
            shell,
            "run_cell",
            "a notebook cannot be rerun",
            rerun,
            parameters=("self", "raw_cell", "store_history"),
        ),
        PrivateApi(
            shell,
            "showtraceback",
            "the end of a rerun is printed as an error",
            rerun,
            is_changed=True,
        ),
        PrivateApi(shell, "enable_gui", "%matplotlib looks for a screen", rerun, is_changed=True),
        PrivateApi(
            "IPython.core.history.HistoryManager",
            "input_hist_raw",
            "a notebook's cells are recorded as unavailable",
            ("capture.process.notebook",),
        ),
        PrivateApi(
            "sys",
            "_getframe",
            "nothing that fit does not give a callback: batches, the order of callbacks",
            ("keras.fit_frame", "keras.shuffled_dataset"),
            parameters=("depth",),
        ),
        PrivateApi(
            "sys",
            "_current_frames",
            "a run is said to be interrupted where an exception ended a fit and it trained on",
            ("keras.fit_frame",),
            parameters=(),
        ),
        PrivateApi(
            "importlib.metadata.PathDistribution",
            "_path",
            "an editable package is not told from one that a build left behind",
            ("capture.packages.dist_info",),
            "field",
        ),
    )


PRIVATE_APIS: tuple[PrivateApi, ...] = (*_wandb(), *_keras(), *_tensorflow(), *_others())
"""Every one of them, by library."""
