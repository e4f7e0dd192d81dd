export { default } from "npm:@sparticuz/chromium@^153";
