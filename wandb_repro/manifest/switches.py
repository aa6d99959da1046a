"""The environment variables that change what a training computes.

Nothing outside this list is ever recorded, and nothing outside it is ever set on a rerun: the
whole environment holds credentials, and a capsule from a stranger must not choose ``LD_PRELOAD``.

Source: names measured or read in TensorFlow 2.21, oneDNN, XLA, cuBLAS and NCCL documentation.
"""

from __future__ import annotations

THREADS_VARIABLE = "TF_NUM_INTRAOP_THREADS"
"""Number of threads of one operation."""

BIT_CHANGING: tuple[str, ...] = (
    THREADS_VARIABLE,
    "TF_ENABLE_ONEDNN_OPTS",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "DNNL_DEFAULT_FPMATH_MODE",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_ENABLE_ZENDNN_OPTS",
    "TF_DETERMINISTIC_OPS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_CUDNN_USE_AUTOTUNE",
    "TF_CUDNN_USE_FRONTEND",
    "TF_CUDNN_RNN_USE_AUTOTUNE",
    "TF_USE_CUDNN_AUTOTUNE",
    "TF_XLA_FLAGS",
    "TF_DISABLE_JIT_KERNELS",
    "XLA_FLAGS",
    "NVIDIA_TF32_OVERRIDE",
    "CUBLAS_WORKSPACE_CONFIG",
    "NCCL_ALGO",
    "NCCL_PROTO",
    "NCCL_MIN_NCHANNELS",
    "NCCL_MAX_NCHANNELS",
    "KERAS_BACKEND",
    "JAX_ENABLE_X64",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_PLATFORMS",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "MKL_NUM_THREADS",
    "MKL_CBWR",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
)
"""Measured or documented to change the bits of a training."""

GPU_ONLY: tuple[str, ...] = tuple(
    name
    for name in BIT_CHANGING
    if name.startswith(("TF_CUDNN_", "TF_USE_CUDNN", "NVIDIA_", "CUBLAS_", "NCCL_"))
)
"""Of these, what only a GPU's libraries read."""

RESTORED: tuple[str, ...] = (
    *BIT_CHANGING,
    "PYTHONHASHSEED",
    "TF_NUM_INTEROP_THREADS",
    "TF_GPU_THREAD_MODE",
    "TF_GPU_THREAD_COUNT",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "OMP_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
)
"""Recorded, and set again in a rerun."""
