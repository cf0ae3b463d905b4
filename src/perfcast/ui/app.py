"""What Streamlit runs: the frame around the pages (`perfcast ui`)."""

from pathlib import Path

import streamlit as st

from perfcast.ui._look import style
from perfcast.ui._server import changed
from perfcast.ui.parts import foot, theme

PAGES = Path(__file__).parent / "views"  # "pages" would be served without this frame, too
ICON = str(Path(__file__).with_name("icon.svg"))  # one of Material's would be fetched from Google

st.set_page_config(page_title="Perfcast", page_icon=ICON, layout="wide")
st.html(style(theme()))
if "opened" not in st.session_state:  # whoever opens a page or a link sees what is there now, not some seconds ago
    st.session_state["opened"] = True
    changed()
chosen = st.navigation(
    {
        "Ask": [
            st.Page(PAGES / "predict.py", title="Predict", icon=":material/speed:", default=True),
            st.Page(PAGES / "networks.py", title="Networks", icon=":material/account_tree:"),
            st.Page(PAGES / "capacity.py", title="Capacity", icon=":material/show_chart:"),
        ],
        "Learn": [
            st.Page(PAGES / "training.py", title="Training", icon=":material/model_training:"),
            st.Page(PAGES / "models.py", title="Models", icon=":material/deployed_code:"),
        ],
        "Watch": [st.Page(PAGES / "monitoring.py", title="Monitoring", icon=":material/monitor_heart:")],
    }
)
with st.sidebar:
    foot()
chosen.run()
