"""Git repositories."""

from tests.calls.cases.case import Case, of, under, within

CASES = {
    "get_artifacts_repo": Case(of("backend"), says="billing-service"),
    "attach_artifacts_repo": Case(
        of("seo", name="seo"),
        at=under("seo", "artifacts"),
        seen=within("artifact", lambda link: bool(link) and "seo" in str(link)),
    ),
    "fork_artifacts_repo": Case(of("backend", name="fork1"), unseen="a fork is listed nowhere"),
    "create_artifacts_token": Case(of("backend"), unseen="a Git credential is listed nowhere"),
}
