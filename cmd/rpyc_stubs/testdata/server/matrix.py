"""Numbers in arrays."""
from typing import List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
import rpyc
from rpyc.utils.authenticators import SSLAuthenticator
from rpyc.utils.server import ThreadedServer

Vector = List[float]


class Matrix:
    def __init__(self, data: npt.NDArray[np.float64]):
        self._data = np.asarray(data, dtype=float)

    @classmethod
    def exposed_zeros(cls, rows: int, columns: int = 1) -> "Matrix":
        return cls(np.zeros((rows, columns)))

    @property
    def exposed_shape(self) -> Tuple[int, int]:
        return self._data.shape

    def __matmul__(self, other: "Matrix") -> "Matrix":
        return Matrix(self._data @ other._data)

    def __mul__(self, factor: float) -> "Matrix":
        return Matrix(self._data * factor)

    __rmul__ = __mul__

    def __neg__(self):
        return Matrix(-self._data)

    def __array__(self, dtype=None, copy=None):
        return self._data

    def exposed_row(self, i: int) -> Vector:
        return list(self._data[i])


class MatrixService(rpyc.Service):
    exposed_Matrix = Matrix

    def exposed_mean(self, values: Sequence[float]) -> float:
        """The mean of some numbers."""
        return float(np.mean(values))

    def exposed_solve(self, a: np.ndarray, b: Optional[np.ndarray] = None) -> np.ndarray:
        return np.linalg.solve(a, b)

    def exposed_split(self, values: Vector, at: int = -1) -> Tuple[Vector, Vector]:
        return values[:at], values[at:]

    def exposed_phase(self, z: complex = 1j, precision: float = 1) -> Tuple[float, ...]:
        return (abs(z), float(np.angle(z)))


if __name__ == "__main__":
    auth = SSLAuthenticator("server.key", "server.crt", ca_certs="ca.pem")
    ThreadedServer(MatrixService, hostname="0.0.0.0", port=18864, authenticator=auth,
                   protocol_config={"allow_pickle": True, "allow_public_attrs": True}).start()
