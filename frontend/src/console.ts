import "./styles/console.scss";
import htmx from "htmx.org";
import { prepareConfirmations, startConfirmWords } from "./components/confirm-word";
import { startCopyButtons } from "./components/copy";
import { startDialogs } from "./components/dialog";
import { startForms } from "./components/forms";
import { startLabelUpload } from "./components/label-upload";
import { startMenus } from "./components/menu";
import { startToasts } from "./components/toast";
import { startKeyboard } from "./shell/keyboard";
import { startNavigation } from "./shell/navigation";
import { startSideMenu } from "./shell/side-menu";
import { startTheme } from "./shell/theme";
import { startUploader } from "./uploader";

globalThis.htmx = htmx;
startTheme();
startForms();
startCopyButtons();
if (document.body.dataset.frame === "console") {
  startConfirmWords(); // before navigation: a form with the wrong word must not be sent
  startNavigation();
  startSideMenu();
  startMenus();
  startDialogs();
  startToasts();
  startKeyboard();
  startUploader();
  startLabelUpload();
  htmx.onLoad((part) => prepareConfirmations(part instanceof Element ? part : document));
}
