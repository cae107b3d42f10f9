"""``/review``: page after page that needs a person, each for one reviewer at a time."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.web import job_view
from services.gateway.web.rendering import page
from services.gateway.web.users import ReviewUser

router = APIRouter()


@router.get("/review")
def review(request: Request, _: ReviewUser) -> Response:
    """The frame; the pages themselves come through the API, the next one while this one is looked at."""
    return page(request, "review.html", data={"texts": job_view.script_texts(request.state.visit.t)})
