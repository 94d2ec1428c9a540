import "htmx.org";
import "./styles/console.scss";
