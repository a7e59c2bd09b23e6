"""Who may do what, where."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import Invalid
from lineshaft.core.path import is_under
from lineshaft.security.access import ROLES, Branches, check_branches, meet, within

levels = st.lists(st.sampled_from(["a", "b", "ab", "a-b", "ä"]), max_size=4)
paths = levels.map("/".join)
branches = st.lists(paths, max_size=4).map(tuple)
actions = st.sampled_from(Action)
identities = st.builds(
    Identity,
    name=st.just("eva"),
    actions=st.frozensets(actions),
    branches=branches,
)


@given(identities, actions, paths)
def test_nothing_is_allowed_outside_the_branches_or_beyond_the_actions(who, action, path):
    allowed = Branches().allows(who, action, path)
    if action is Action.PUBLIC:
        assert allowed
        return
    inside = any(b in ("", path) or path.startswith(b + "/") for b in who.branches)
    assert allowed == (action in who.actions and inside)


@given(branches, branches, paths)
def test_what_two_have_in_common_is_what_both_see(left, right, path):
    both = any(is_under(path, b) for b in left) and any(is_under(path, b) for b in right)
    assert any(is_under(path, b) for b in meet(left, right)) == both


@given(branches.filter(bool), paths)
def test_checked_branches_see_the_same_without_doubles(given_branches, path):
    checked = check_branches(given_branches)
    assert any(is_under(path, b) for b in checked) == any(is_under(path, b) for b in given_branches)
    assert within(checked, given_branches)
    assert within(given_branches, checked)
    assert not any(a != b and is_under(a, b) for a in checked for b in checked)


@pytest.mark.parametrize("wrong", [(), ("a//b",), ("a b",), ("#",), tuple(map(str, range(101)))])
def test_branches_that_are_no_paths_are_told(wrong):
    with pytest.raises(Invalid):
        check_branches(wrong)


def test_each_role_may_all_that_the_one_before_may():
    chain = [ROLES[r] for r in ("viewer", "operator", "engineer", "admin")]
    assert all(a < b for a, b in pairwise(chain))
    assert chain[0] == {Action.OWN, Action.LOOK}
    assert Action.WRITE in ROLES["operator"]
    assert Action.CONFIGURE in ROLES["engineer"]
    assert Action.ADMINISTER in ROLES["admin"]


def test_the_platform_itself_may_everything():
    assert all(Branches().allows(SYSTEM, a, p) for a in Action for p in ("", "a/b"))
