import copy

import pytest
import torch
from torch import nn

from inference.engines import cpu_linear
from inference.engines.cpu_linear import MANY_ROWS, ConvertingLinear, speed_up_prefill


class Model(nn.Module):
    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(64, 600, dtype=torch.bfloat16)  # a few blocks
        self.wide = nn.Linear(600, 8, bias=False)  # float32: nothing to gain


@pytest.mark.parametrize("rows", [1, MANY_ROWS - 1, MANY_ROWS, 3 * MANY_ROWS])
def test_a_converted_layer_computes_the_same(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    model = Model()
    exact = copy.deepcopy(model).float()
    monkeypatch.setattr(cpu_linear, "conversion_pays", lambda: True)
    assert speed_up_prefill(model)
    assert type(model.inner) is ConvertingLinear
    assert type(model.wide) is nn.Linear
    x = torch.randn(1, rows, 64, dtype=torch.bfloat16)
    y = model.inner(x)
    assert y.dtype is torch.bfloat16
    assert torch.allclose(y.float(), exact.inner(x.float()), atol=0.02, rtol=0.02)


def test_a_processor_that_multiplies_bfloat16_well_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Model()
    monkeypatch.setattr(cpu_linear, "conversion_pays", lambda: False)
    assert not speed_up_prefill(model)
    assert type(model.inner) is nn.Linear
