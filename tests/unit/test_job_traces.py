"""Which jobs are traced."""

import pytest

from shared.domain.ids import new_id, new_id_from
from shared.job_traces import ShareOfJobs


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_as_large_a_share_of_jobs_is_traced_as_asked_for(share: float) -> None:
    upload = new_id()
    for ids in ([new_id() for _ in range(4000)], [new_id_from(upload) for _ in range(4000)]):
        traced = sum(ShareOfJobs(share).should_sample(None, one.int, "accept").decision.is_sampled() for one in ids)
        assert traced / len(ids) == pytest.approx(share, abs=0.05)
