"""A version that was made elsewhere."""

from collections.abc import Sequence
from typing import Any

import msgspec
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from perfcast.ui._server import client, told
from perfcast.ui.parts._asked import happened
from perfcast_client import InvalidRequest

_LARGEST_MB = 20
_Places = dict[str, DeltaGenerator]
"""Below each field, by the name that the server calls it: where its refusal is said."""


def upload(model: str, workloads: Sequence[str]) -> None:
    """A form that registers an ONNX graph as a candidate.

    Args:
        model: Whose version it is, unless another name is typed.
        workloads: To choose from for a new model.
    """
    st.caption(
        "An ONNX graph from `features` (float32, [rows, features], in the workload's order) to `cost` (float32, "
        "[rows]). It is looked through and tried, then it is a candidate: it answers nobody until it is activated."
    )
    below: _Places = {}
    with st.form("upload", border=True):
        left, right = st.columns(2, gap="medium")
        with left:
            graph, manifest = _files(below)
        with right:
            name, typed = _typed(model, workloads, below)
        sent = st.form_submit_button("Upload the version", type="primary", icon=":material/upload:")
    if not sent:
        return
    if graph is None or not name:
        st.warning("Choose a graph, and say whose version it is.")
        return
    with told():
        wrong = _send(name, graph.getvalue(), b"" if manifest is None else manifest.getvalue(), typed)
        for field, words in wrong.items():
            place = below.get(field) or st.empty()
            place.error(f"**{field}**: {words}", icon=":material/error:")


def _files(below: _Places) -> tuple[UploadedFile | None, UploadedFile | None]:
    graph = st.file_uploader("Graph (.onnx)", "onnx", max_upload_size=_LARGEST_MB, key="graph")
    below["graph"] = st.empty()
    manifest = st.file_uploader("Manifest (.json), if there is one", "json", max_upload_size=1, key="manifest")
    below["manifest"] = st.empty()
    return graph, manifest


def _typed(model: str, workloads: Sequence[str], below: _Places) -> tuple[str, dict[str, str | None]]:
    name = st.text_input("Model", model, key=f"{model} upload name", help="A name that is new makes a new model.")
    below["model_name"] = st.empty()
    workload = st.selectbox("Workload, for a new model", workloads, None, key="upload workload")
    below["workload"] = st.empty()
    made_by = st.text_input("Type", placeholder="onnx", help="What made it, such as xgboost.", key="upload type")
    below["type"] = st.empty()
    label = st.text_input("Label", placeholder="v1.3.0", help="Another name for the version.", key="upload label")
    below["label"] = st.empty()
    note = st.text_input("Note", key="upload note")
    return name.strip(), {
        "workload": workload, "type": made_by.strip(), "label": label.strip(), "note": note.strip(),
    }  # fmt: skip


def _send(name: str, graph: bytes, manifest: bytes, typed: dict[str, str | None]) -> dict[str, str]:
    """Register it, which draws the page anew; what is wrong with it, by field, where it is refused."""
    try:
        stated = statement(manifest, typed)
        with st.spinner("Looking through the graph and trying it …"):
            added = client().models.upload(name, graph, manifest=stated)
    except msgspec.MsgspecError as error:
        return {"manifest": f"must be a JSON object, as `perfcast models show --json` prints one: {error}"}
    except InvalidRequest as error:
        return dict(error.fields) or {"upload": error.detail}
    else:
        bounds = "" if added.calibrated else ", without intervals"
        happened(f"Version {added.model_version} of {name} is registered{bounds}. It is a candidate: activate it.")


def statement(manifest: bytes, typed: dict[str, str | None]) -> dict[str, Any]:
    """What is said of a graph: its manifest, and what was typed over it.

    Raises:
        MsgspecError: The manifest is no JSON object.
    """
    said = msgspec.json.decode(manifest, type=dict[str, Any]) if manifest.strip() else {}
    return said | {name: words for name, words in typed.items() if words}
