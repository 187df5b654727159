"""Two processes that share their rows compute what one process computes."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from seston.models import clip_loss, gather_rows, siglip_loss
from seston.models.gather import shared_parameter
from seston.models.shared_norm import share_batch_norms
from seston.models.torchvision_shim import mend_torchvision


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _in_process(work: Callable[[int], Any], rank: int, port: int, answers: Any) -> None:
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    answers.put((rank, work(rank)))
    distributed.destroy_process_group()


def _in_two_processes(work: Callable[[int], Any]) -> list[Any]:
    """Run a function of the rank in two gloo processes, and give both answers by rank."""
    context = multiprocessing.get_context("spawn")
    answers, port = context.Queue(), _free_port()
    workers = [context.Process(target=_in_process, args=(work, rank, port, answers)) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    given = dict(answers.get(timeout=100) for _ in workers)
    for worker in workers:
        worker.join(timeout=30)
    return [given[0], given[1]]


def _vectors(seed: int, rows: int = 7) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(rows, 8, generator=generator, dtype=torch.float64), dim=1)


_SHARES = (slice(0, 4), slice(4, 7))  # 4 rows and 3: a short last batch


def _losses_of_share(rank: int) -> list[list[list[float]]]:
    """Give value and gradients of both losses, of this process's rows and of the shared parameters."""
    answers = []
    for name in ("clip", "siglip"):
        image, profile = (_vectors(seed)[_SHARES[rank]].requires_grad_() for seed in (0, 1))
        scale, bias = (
            torch.tensor(9.0, dtype=torch.float64, requires_grad=True),
            torch.tensor(-8.0, dtype=torch.float64, requires_grad=True),
        )
        all_image, all_profile = gather_rows(image), gather_rows(profile)
        used = shared_parameter(scale)
        loss = (
            clip_loss(all_image, all_profile, used)
            if name == "clip"
            else siglip_loss(all_image, all_profile, used, shared_parameter(bias))
        )
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        numbers = [loss.detach(), image.grad, profile.grad, scale.grad, bias.grad]
        answers.append([[] if number is None else number.flatten().tolist() for number in numbers])
    return answers


def _open_clip_losses_of_share(rank: int) -> list[list[list[float]]]:
    """Let open_clip do the same, its own way."""
    mend_torchvision()
    import open_clip

    answers: list[list[list[float]]] = []
    makers: tuple[Callable[[], Any], ...] = (
        lambda: open_clip.loss.ClipLoss(local_loss=False, gather_with_grad=True, rank=rank, world_size=2),
        lambda: open_clip.loss.SigLipLoss(rank=rank, world_size=2),
    )
    for make in makers:
        image, profile = (_vectors(seed, rows=8)[rank * 4 :][:4].requires_grad_() for seed in (0, 1))
        scale, bias = (
            torch.tensor(9.0, dtype=torch.float64, requires_grad=True),
            torch.tensor(-8.0, dtype=torch.float64, requires_grad=True),
        )
        criterion: Any = make()
        loss = criterion(image, profile, scale, *([bias] if answers else []))
        loss.backward()
        numbers = [loss.detach(), image.grad, profile.grad]
        answers.append([[] if number is None else number.flatten().tolist() for number in numbers])
    return answers


def test_two_processes_with_unequal_shares_give_value_and_gradients_of_one() -> None:
    first, second = _in_two_processes(_losses_of_share)
    for number, name in enumerate(("clip", "siglip")):
        image, profile = _vectors(0).requires_grad_(), _vectors(1).requires_grad_()
        scale, bias = (
            torch.tensor(9.0, dtype=torch.float64, requires_grad=True),
            torch.tensor(-8.0, dtype=torch.float64, requires_grad=True),
        )
        loss = clip_loss(image, profile, scale) if name == "clip" else siglip_loss(image, profile, scale, bias)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        assert first[number][0] == second[number][0] == pytest.approx([loss.item()], abs=1e-6)
        for place, tensor in ((1, image), (2, profile)):
            assert tensor.grad is not None
            joined = first[number][place] + second[number][place]
            assert joined == pytest.approx(tensor.grad.flatten().tolist(), abs=1e-6)
        for place, tensor in ((3, scale), (4, bias)):
            if tensor.grad is not None:
                summed = first[number][place][0] + second[number][place][0]
                assert summed == pytest.approx(tensor.grad.item(), abs=1e-6)


def test_two_processes_of_open_clip_agree_with_one_of_ours() -> None:
    mend_torchvision()
    pytest.importorskip("open_clip")
    first, second = _in_two_processes(_open_clip_losses_of_share)
    for number, name in enumerate(("clip", "siglip")):
        image, profile = _vectors(0, 8).requires_grad_(), _vectors(1, 8).requires_grad_()
        scale = torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
        loss = clip_loss(image, profile, scale) if name == "clip" else siglip_loss(image, profile, scale, -8.0)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        assert (first[number][0][0] + second[number][0][0]) / 2 == pytest.approx(loss.item(), abs=1e-6)
        for place, tensor in ((1, image), (2, profile)):
            assert tensor.grad is not None
            # open_clip leaves the mean over the processes to DistributedDataParallel
            joined = [value / 2 for value in first[number][place] + second[number][place]]
            assert joined == pytest.approx(tensor.grad.flatten().tolist(), abs=1e-6)


def _pixels() -> Tensor:
    return torch.randn(7, 3, 4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def _norm() -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(3, eps=1e-3).double()
    nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(4))
    return norm


def _norm_of_share(rank: int) -> list[list[float]]:
    norms = share_batch_norms(nn.Sequential(_norm()))
    assert isinstance(norms, nn.Sequential)
    pixels = _pixels()[_SHARES[rank]].requires_grad_()
    answer = norms(pixels)
    answer.pow(3).sum().backward()
    own = dict(norms.named_parameters())
    parts = [answer.detach(), pixels.grad, own["0.weight"].grad, *dict(norms.named_buffers()).values()]
    return [[] if part is None else part.flatten().tolist() for part in parts]


def test_batch_norms_of_two_processes_with_unequal_shares_are_that_of_one() -> None:
    first, second = _in_two_processes(_norm_of_share)
    norm, pixels = _norm(), _pixels().requires_grad_()
    answer = norm(pixels)
    answer.pow(3).sum().backward()
    assert pixels.grad is not None
    assert norm.weight.grad is not None
    for place, whole in ((0, answer.detach()), (1, pixels.grad)):
        assert first[place] + second[place] == pytest.approx(whole.flatten().tolist(), abs=1e-5)
    summed = [a + b for a, b in zip(first[2], second[2], strict=True)]
    assert summed == pytest.approx(norm.weight.grad.tolist(), abs=1e-4)
    for place, buffer in enumerate(norm.buffers(), 3):
        assert first[place] == second[place] == pytest.approx(buffer.flatten().tolist(), abs=1e-6)
