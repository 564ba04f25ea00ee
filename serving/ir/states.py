"""What a model keeps from one step to the next: its variables."""

from __future__ import annotations

from openvino import Node, PartialShape, Type
from openvino import opset16 as op
from openvino.op.util import Variable, VariableInfo

from serving.ir.inputs import integer, number


class States:
    """The variables of a graph, as they come."""

    def __init__(self, batch: Node, beams: Node) -> None:
        """``batch`` [1]: sequences; ``beams`` [batch]: which of the last step each goes on with."""
        self._batch = batch
        self._beams = beams
        self.assigns: list[Node] = []
        self.variables: list[Variable] = []

    def past(self, name: str, shape: list[int]) -> tuple[Node, Variable]:
        """What was kept as ``name``, [batch, *shape]; 0 at first.

        An axis of -1 has any length, and none at first.
        """
        info = VariableInfo()
        info.data_shape = PartialShape([-1, *shape])
        info.data_type = Type.f32
        info.variable_id = name
        variable = Variable(info)
        first = [max(size, 0) for size in shape]
        nothing = op.concat([self._batch, integer(first)], axis=0)
        read = op.read_value(op.broadcast(number(0.0), nothing), variable)
        read.set_friendly_name(name)
        self.variables.append(variable)
        return op.gather(read, self._beams, integer(0)), variable

    def keep(self, new: Node, variable: Variable, name: str) -> None:
        """For the next step."""
        assign = op.assign(new, variable)
        assign.set_friendly_name(f"{name}/next")
        self.assigns.append(assign)
