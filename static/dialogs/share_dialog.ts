import type { Locale } from "../i18n/locale.ts";
import { button, element, setText, showDone } from "../lib/dom.ts";
import { qrCode } from "../lib/qr_code.ts";
import { displayName } from "../lib/room_name.ts";
import { createSheet } from "./sheet.ts";

/** Hosts under which a computer reaches only itself. */
const OWN_COMPUTER = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export interface ShareDialog {
  /** @param seq a message in the room */
  open(room: string, seq?: number): void;
}

/** @param urlOf the whole address of a room, or of a message in it */
export function createShareDialog(
  { strings }: Locale,
  urlOf: (room: string, seq?: number) => string,
): ShareDialog {
  const sheet = createSheet(strings, strings.share);
  const who = element("p", { className: "help" });
  const link = element("input", { id: "room-link", readOnly: true, dir: "ltr" });
  const copied = element("p", { className: "help", role: "status" });
  const warning = element("p", { className: "help", textContent: strings.onlyThisComputer });
  const picture = element("div", { className: "picture" });
  const copy = button(strings.copyLink, "filled", copyLink);
  const elsewhere = button(strings.shareElsewhere, "outlined", shareElsewhere);
  let name = "";

  elsewhere.hidden = typeof navigator.share !== "function";
  warning.hidden = !OWN_COMPUTER.test(location.hostname);
  sheet.body.append(
    who,
    element("label", { htmlFor: link.id, textContent: strings.roomLink }),
    link,
    element("p", { className: "actions" }, copy, elsewhere),
    copied,
    picture,
    warning,
  );
  sheet.body.className = "sharing";
  link.onfocus = () => link.select();

  async function copyLink() {
    try {
      await navigator.clipboard.writeText(link.value);
      showDone(copied, strings.linkCopied);
    } catch {
      // Pages without TLS, as in a home network, have no clipboard.
      link.focus();
      link.select();
      setText(copied, strings.copyByHand);
    }
  }

  async function shareElsewhere() {
    try {
      await navigator.share({ title: strings.shareRoom(name), text: strings.shareText(name), url: link.value });
    } catch {
      // Whoever closes the system's own dialog has changed their mind.
    }
  }

  async function draw(url: string) {
    picture.replaceChildren();
    const code = await qrCode(url, strings.qrCode).catch(() => null);
    if (code && link.value === url) picture.replaceChildren(code);
  }

  return {
    open(room, seq) {
      const shown = displayName(room);
      name = shown.name;
      link.value = urlOf(room, seq);
      setText(sheet.title, seq === undefined ? strings.shareRoom(name) : strings.linkToMessage);
      setText(who, shown.isUnlisted ? strings.onlyWithLink : strings.anyoneWithLink);
      setText(copied, "");
      draw(link.value);
      sheet.open();
      copy.focus();
    },
  };
}
