"""Which device is used; the GPUs here are none, but for what PyTorch says of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pcl_core.errors import InputError, OutOfMemoryError
from pcl_core.training import choosing
from pcl_core.training.choosing import choose_device, reason_for, unserved

CPU = torch.device("cpu")
NO_KERNEL = "CUDA error: no kernel image is available for execution on the device\nCompile with `TORCH_USE_CUDA_DSA`"


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "mps", "xpu:0", "cuda:-1"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_device(name)
    assert caught.value.hint


def test_the_processor_and_the_best_device_are_always_there() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in ("cpu", "cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match="No GPU can be used"):
        choose_device("cuda:0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_gpu_beyond_the_last_is_refused() -> None:
    with pytest.raises(InputError, match="There is no cuda:99"):
        choose_device("cuda:99")


GpuThat = Callable[..., None]


@pytest.fixture
def gpu_that(monkeypatch: pytest.MonkeyPatch) -> GpuThat:
    """Makes PyTorch say that there is a GPU, which fails at whatever it is asked to do, or answers."""

    def make(error: RuntimeError | None = None, capability: tuple[int, int] = (5, 2), count: int = 1) -> None:
        def asked(_device: torch.device) -> None:
            if error is not None:
                raise error

        says = {"is_available": True, "device_count": count, "get_device_capability": capability}
        says |= {"get_device_name": "NVIDIA Some GPU", "get_arch_list": ["sm_75", "sm_80", "sm_90", "sm_120", "compute_120"]}
        for name, answer in says.items():
            monkeypatch.setattr(torch.cuda, name, lambda *_device, answer=answer: answer)
        monkeypatch.setattr(choosing, "small_sum", asked)

    return make


def test_a_gpu_that_works_is_the_best_device(gpu_that: GpuThat) -> None:
    gpu_that()
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    assert reason_for(torch.device("cuda"), "auto") == "NVIDIA Some GPU is used."
    assert unserved(torch.device("cuda"), "auto") == ""
    assert "processor was asked for" in reason_for(CPU, "cpu")
    assert unserved(CPU, "cpu") == ""


@pytest.mark.parametrize(
    ("capability", "words", "remedy"),
    [((5, 2), "(compute capability 5.2) is too old", "earlier version"), ((13, 0), "is too new", "install a later version")],
)
def test_a_gpu_that_this_pytorch_cannot_serve_leaves_the_work_to_the_processor_and_says_why(
    capability, words, remedy, gpu_that: GpuThat
) -> None:
    gpu_that(torch.AcceleratorError(NO_KERNEL), capability)
    assert choose_device("auto") == CPU
    for said in (unserved(CPU, "auto"), reason_for(CPU, "auto")):
        assert f"NVIDIA Some GPU {words}" in said.replace("(compute capability 13.0) ", "")
        assert remedy in said
        assert "The processor does the work" in said
    with pytest.raises(InputError, match="for this build of PyTorch") as caught:
        choose_device("cuda")
    assert words.split(") ")[-1] in caught.value.message
    assert caught.value.hint.startswith("Choose --device cpu, or install")


def test_a_gpu_that_does_not_answer_is_told_with_its_own_words(gpu_that: GpuThat) -> None:
    gpu_that(torch.AcceleratorError("CUDA error: unknown error\nand more"))
    assert choose_device("auto") == CPU
    with pytest.raises(InputError, match=r"does not answer \(CUDA error: unknown error\)\."):
        choose_device("cuda:0")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_gpu_that_others_have_filled_is_told_as_that(name: str, gpu_that: GpuThat) -> None:
    gpu_that(torch.AcceleratorError("CUDA error: out of memory"))
    with pytest.raises(OutOfMemoryError) as caught:
        choose_device(name)
    assert "Close other programs" in caught.value.hint


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_process_of_a_machine_takes_its_own_gpu(name: str, gpu_that: GpuThat) -> None:
    gpu_that(count=2)
    assert choose_device(name, 1) == torch.device("cuda", 1)
    assert choose_device("cuda:0", 1) == torch.device("cuda", 0)
    with pytest.raises(InputError, match="There is no cuda:2: 2 GPU"):
        choose_device(name, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_real_gpu_adds() -> None:
    choosing.small_sum(torch.device("cuda"))


def test_a_command_warns_when_the_gpu_is_not_used_and_devices_says_why(gpu_that: GpuThat, pclseg) -> None:
    gpu_that(torch.AcceleratorError(NO_KERNEL))
    outcome = pclseg("devices")
    summary = outcome.done()
    (warning,) = outcome.warnings
    assert warning == summary["reason"]
    assert "too old" in warning
    assert summary["used"] == "cpu"
    assert [row["device"] for row in summary["devices"]] == ["cpu"]
    pclseg("devices", "--device", "cuda").refusal("too old", "--device cpu")
    assert pclseg("devices", "--device", "cpu").warnings == []
