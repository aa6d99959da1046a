"""Killed at random moments and started again, a training ends with the bits of one never stopped.

``killed_and_resumed`` sends SIGKILL; each attempt is a fresh process that starts the same script.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.killed import Outcome, Parent, killed_and_resumed

CASES = {
    "NumPy data, shuffled": """
        model = model_of()
        saving = ReproCheckpoint("ckpt")
        model.fit(x, y, epochs=40, batch_size=8, verbose=0, callbacks=[pause, saving])
        """,
    "tf.data, shuffled and augmented at random by stateless operations": """
        def augmented(seed, pair):
            noise = tf.random.stateless_normal(tf.shape(pair[0]), tf.stack([seed, seed]))
            return pair[0] + noise, pair[1]

        data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(8)
        seeds = tf.data.Dataset.random(seed=4, rerandomize_each_iteration=True)
        data = tf.data.Dataset.zip((seeds, data)).map(augmented, tf.data.AUTOTUNE).prefetch(2)
        model = model_of()
        model.fit(data, epochs=40, verbose=0, callbacks=[pause, ReproCheckpoint("ckpt")])
        """,
    "PyDataset with an order and noise of its own": """
        class Batches(keras.utils.PyDataset):
            def __init__(self):
                super().__init__()
                self.rng = wandb_repro.register(np.random.default_rng(8))
                self.order = np.arange(96)

            def __len__(self):
                return 12

            def __getitem__(self, index):
                rows = self.order[index * 8 : index * 8 + 8]
                return x[rows] + np.random.normal(size=(8, 6)).astype("float32"), y[rows]

            def on_epoch_end(self):
                self.rng.shuffle(self.order)

        model = model_of()
        model.fit(Batches(), epochs=40, verbose=0, callbacks=[pause, ReproCheckpoint("ckpt")])
        """,
    "arrays in an order that is keyed by seed and epoch": """
        from wandb_repro.keras import shuffled

        model = model_of()
        data = shuffled(x, y, 8, seed=3)
        model.fit(data, epochs=40, verbose=0, callbacks=[pause, ReproCheckpoint("ckpt")])
        """,
    "a learning-rate schedule": """
        model = model_of(keras.optimizers.schedules.CosineDecay(1e-2, 360))
        data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(8)
        model.fit(data, epochs=40, verbose=0, callbacks=[pause, ReproCheckpoint("ckpt")])
        """,
    "ReduceLROnPlateau, and steps_per_epoch within repeated data": """
        model = model_of(3e-2)
        data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).repeat().batch(8)
        model.fit(
            data, epochs=40, steps_per_epoch=7, verbose=0, validation_data=(x[:32], y[:32]),
            callbacks=[
                keras.callbacks.ReduceLROnPlateau(
                    patience=1, factor=0.7, min_delta=1e-3, cooldown=1
                ),
                pause, ReproCheckpoint("ckpt"),
            ],
        )
        assert len(set(model.history.history["learning_rate"])) > 3
        """,
    "EarlyStopping with restored weights, validated on shuffled data": """
        model = model_of(2e-2)
        data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(8)
        noise = drawn.normal(size=y.shape).astype("float32")
        held_out = tf.data.Dataset.from_tensor_slices((x, noise)).shuffle(96).batch(8)
        stopping = keras.callbacks.EarlyStopping(patience=24, restore_best_weights=True)
        model.fit(
            data, epochs=200, verbose=0, validation_data=held_out,
            callbacks=[pause, ReproCheckpoint("ckpt"), stopping],
        )
        assert 24 < len(model.history.epoch) < 200
        """,
    "two fits of one script, the second with frozen layers": """
        model = model_of()
        saving = ReproCheckpoint("ckpt")
        model.fit(x, y, epochs=20, batch_size=8, verbose=0, callbacks=[pause, saving])
        model.layers[0].trainable = False
        model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=False)
        model.fit(x, y, epochs=20, batch_size=8, verbose=0, callbacks=[pause, saving])
        """,
}


def check(outcome: Outcome, kills: int) -> None:
    assert outcome.killed == kills, outcome.log
    assert outcome.log.count("resuming after epoch") >= kills // 2, outcome.log
    assert "warning" not in outcome.log, outcome.log
    assert outcome.stopped == outcome.never, outcome.log


def test_a_training_killed_twice_ends_with_the_bits_of_one_never_stopped(
    killing_parent: Parent, tmp_path: Path
) -> None:
    script = """
        model = model_of()
        data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(8)
        model.fit(data, epochs=8, verbose=0, callbacks=[pause, ReproCheckpoint("ckpt")])
        """
    check(killed_and_resumed(killing_parent, tmp_path, script, kills=2), 2)


@pytest.mark.slow
@pytest.mark.parametrize("script", CASES.values(), ids=CASES)
def test_a_training_killed_ten_times_ends_with_the_bits_of_one_never_stopped(
    script: str, killing_parent: Parent, tmp_path: Path
) -> None:
    check(killed_and_resumed(killing_parent, tmp_path, script, kills=10), 10)
