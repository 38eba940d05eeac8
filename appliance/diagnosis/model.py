"""Who answers: one tiny call to the model, or how much the offline FAQ has to say."""

from appliance.config import Config
from appliance.diagnosis.finding import Finding, Kind, found
from appliance.model import SECOND
from appliance.ports import Model, ResponderError


async def of_model(config: Config, model: Model | None, topics: int) -> Finding:
    """`topics`: of all organizations, which is all that the FAQ has."""
    if model is None:
        return found(Kind.FAQ, topics=topics)
    name = config.ai.model or ""
    try:
        trial = await model.trial(config.ai.deadline / SECOND)
    except ResponderError as error:
        return found(Kind.MODEL_FAILED, model=name, reason=str(error))
    seconds = round(trial.seconds, 1)
    if trial.tokens_in is None or trial.tokens_out is None:
        return found(Kind.MODEL_UNCOUNTED, model=name, seconds=seconds)
    return found(Kind.MODEL, model=name, seconds=seconds, tokens_in=trial.tokens_in, tokens_out=trial.tokens_out)
