"""A resource that fails is left alone, probed gently by one caller at a time, and comes back by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.queue.circuit import ACCOUNT, AI, DOUBT, LONGEST, Circuit, Circuits


def made(name: str) -> Circuit:
    return Circuits().get(name)


def opened(circuit: Circuit, now: int = 0) -> Circuit:
    circuit.parked(now)
    return circuit


def tell(circuit: Circuit, event: str, now: int, asked: int | None) -> None:
    if event == "fail":
        circuit.failed(now, asked)
    elif event == "park":
        circuit.parked(now, asked)
    elif event == "succeed":
        circuit.succeeded()
    else:
        circuit.abandon()


class TestCircuit:
    def test_closed_lets_everybody_in(self) -> None:
        """While nothing failed, any number of callers may enter."""
        circuit = made(AI)

        assert [circuit.try_enter(0) for _ in range(5)] == [True] * 5
        assert circuit.open_until(0) is None

    def test_the_threshold_counts_failures_in_a_row(self) -> None:
        """Two failures, a success and two more do not open the AI's circuit; the third in a row does."""
        circuit = made(AI)
        for told in (circuit.failed, circuit.failed):
            told(0)
        circuit.succeeded()
        circuit.failed(0)
        circuit.failed(0)
        assert circuit.open_until(0) is None
        circuit.failed(1_000)

        assert circuit.open_until(1_000) == 61_000
        assert not circuit.try_enter(60_999)

    @pytest.mark.parametrize(
        ("circuit", "waits"),
        [
            (made(AI), [60_000] * 4),
            (made(ACCOUNT), [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]),
            (made(DOUBT), [5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]),
            (Circuit(1, 500, 300), [300, 300]),
        ],
    )
    def test_waits_double_to_their_limit(self, circuit: Circuit, waits: list[int]) -> None:
        """Each failed probe doubles the wait until it stays at its limit."""
        now, seen = 0, []
        circuit.parked(now)
        for _ in waits:
            due = circuit.open_until(now)
            assert due is not None
            assert not circuit.try_enter(due - 1)
            assert circuit.try_enter(due)
            seen.append(due - now)
            now = due
            circuit.failed(now)

        assert seen == waits

    @pytest.mark.parametrize(
        ("asked", "wait"), [(None, 100), (0, 100), (-5, 100), (99, 100), (5_000, 5_000), (10**12, LONGEST)]
    )
    def test_retry_after_wins_when_longer(self, asked: int | None, wait: int) -> None:
        """What the provider asks for lengthens the wait, never shortens it, and is at most a day and an hour."""
        circuit = made(ACCOUNT)
        circuit.failed(7, asked)

        assert circuit.open_until(7) == 7 + wait

    def test_parking_ignores_the_threshold(self) -> None:
        """A failure that would hit everybody opens at once."""
        assert opened(made(AI)).open_until(0) == 60_000

    def test_one_probe_at_a_time(self) -> None:
        """When due, the first caller probes and the others keep waiting until its result is told."""
        circuit = opened(made(ACCOUNT))

        assert [circuit.try_enter(100) for _ in range(4)] == [True, False, False, False]
        assert circuit.open_until(100) == 200
        circuit.succeeded()
        assert [circuit.try_enter(100) for _ in range(4)] == [True] * 4

    def test_an_abandoned_probe_frees_its_place(self) -> None:
        """A probe that was cancelled says nothing: the next caller probes at once."""
        circuit = opened(made(ACCOUNT))
        circuit.try_enter(100)
        circuit.abandon()

        assert circuit.open_until(100) == 100
        assert circuit.try_enter(100)

    def test_success_resets_the_waits(self) -> None:
        """After a success the next failure starts from the first wait and the full threshold again."""
        circuit = opened(made(ACCOUNT))
        circuit.try_enter(100)
        circuit.failed(100)
        circuit.succeeded()
        circuit.failed(500)

        assert circuit.open_until(500) == 600

    def test_stragglers_do_not_lengthen_the_wait(self) -> None:
        """Calls that were under way when the circuit opened fail too, and do not count as failed probes."""
        circuit = opened(made(ACCOUNT))
        for now in (10, 20, 30):
            circuit.failed(now)
        circuit.parked(40)
        assert circuit.open_until(40) == 100
        circuit.parked(50, retry_after_ms=700)

        assert circuit.open_until(50) == 750

    def test_a_clock_that_steps_back_costs_one_wait(self) -> None:
        """Should the clock go back by hours, the circuit is due again after its own wait."""
        circuit = opened(made(AI), now=10**9)

        assert circuit.open_until(0) == 60_000
        assert not circuit.try_enter(59_999)
        assert circuit.try_enter(60_000)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["fail", "park", "succeed", "enter", "abandon"]),
                st.integers(0, 90_000),
                st.none() | st.integers(-10, 10**8),
            )
        ),
        st.sampled_from([AI, ACCOUNT, DOUBT]),
    )
    def test_always_comes_back(self, story: list[tuple[str, int, int | None]], name: str) -> None:
        """Whatever happened: never shut for longer than it may be, never two probes, never busy without a time to ask again."""
        circuit = made(name)
        now, probing = 0, False
        for event, passed, asked in story:
            now += passed
            until = circuit.open_until(now)
            assert until is None or now <= until <= now + LONGEST
            if event == "enter":
                entered = circuit.try_enter(now)
                assert entered == (until is None or (until == now and not probing))
                probing = probing or (entered and until is not None)
                continue
            tell(circuit, event, now, asked)
            probing = False

        assert probing or circuit.try_enter(now + LONGEST)


class TestCircuits:
    def test_each_resource_has_its_own(self) -> None:
        """The same name gives the same circuit; another channel is not touched by its neighbour's failure."""
        circuits = Circuits()
        circuits.get("channel:1").failed(0)

        assert circuits.get("channel:1").open_until(0) == 100
        assert circuits.get("channel:2").open_until(0) is None

    def test_the_ai_is_more_patient_than_a_channel(self) -> None:
        """Names choose the rules: the AI's circuit takes three failures."""
        circuits = Circuits()
        circuits.get("ai").failed(0)
        circuits.get("account").failed(0)

        assert circuits.get("ai").open_until(0) is None
        assert circuits.get("account").open_until(0) == 100
