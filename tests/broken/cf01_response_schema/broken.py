"""Stations and their weather in memory; a height is told as a text, and declared as a number."""

from itertools import count
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import JSONResponse
from guard import guard
from pydantic import BaseModel, Field


class NewStation(BaseModel):
    town: str = Field(min_length=1, max_length=60)
    height: int = Field(ge=-500, le=9000)


class Station(NewStation):
    id: int


numbers = count(1)
stations: dict[int, Station] = {}
app = FastAPI(title="Weather")
guard(app)


@app.post("/stations", status_code=201, response_model=Station)
async def build(station: NewStation) -> JSONResponse:
    built = Station(id=next(numbers), town=station.town, height=station.height)
    stations[built.id] = built
    return JSONResponse(built.model_dump(), 201)


@app.get("/stations", response_model=list[Station])
async def every(above: Annotated[int, Query(ge=-500, le=9000)] = -500) -> JSONResponse:
    high = [station.model_dump() for station in stations.values() if station.height >= above]
    return JSONResponse(high[:100])


@app.get("/stations/{id}", response_model=Station, responses={404: {"description": "There is none"}})
async def one(id: int) -> JSONResponse:
    if id not in stations:
        raise HTTPException(404, "No such station")
    return JSONResponse({**stations[id].model_dump(), "height": f"{stations[id].height} m"})
