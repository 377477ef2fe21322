/**
 * Dialogs: a form above the page. The browser keeps the focus inside, and gives it back.
 */

import { h, uniqueId } from '../core/h.js';
import { form } from './form.js';

/** @typedef {import('../core/h.js').Child} Child */

/**
 * @param {object} options
 * @param {string} options.title
 * @param {Child[]} options.content
 * @param {(close: () => void) => Child} options.foot A form, or buttons.
 * @param {() => void} [options.closed]
 */
export function dialog({ title, content, foot, closed }) {
  const id = uniqueId();
  const opener = /** @type {HTMLElement | null} */ (document.activeElement);
  const element = h('dialog', { 'aria-labelledby': id });
  element.append(
    h('h2', { id }, title),
    ...content.filter(Boolean).map(asNode),
    asNode(foot(() => element.close())),
  );
  element.addEventListener('close', () => {
    element.remove();
    (opener?.isConnected ? opener : document.getElementById('main'))?.focus();
    closed?.();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/** @param {Child} child */
function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

/**
 * A form in a dialog; closed when it worked.
 * @param {object} options
 * @param {string} options.title
 * @param {Child[]} [options.content] Above the fields.
 * @param {Child[]} [options.fields]
 * @param {string} options.submit
 * @param {string} [options.danger]
 * @param {(values: any) => Promise<void>} options.run
 */
export function formDialog({ title, content = [], fields = [], submit, danger, run }) {
  return dialog({
    title,
    content,
    foot: (close) =>
      form({
        fields,
        submit,
        danger,
        beside: [
          h(
            'button',
            { type: 'button', class: 'button plain', onclick: close, autofocus: danger === 'danger' },
            'Cancel',
          ),
        ],
        run: async (values) => {
          await run(values);
          close();
        },
      }),
  });
}

/**
 * Asks before something that cannot be taken back.
 * @param {object} options
 * @param {string} options.title A question.
 * @param {Child[]} options.content What it means.
 * @param {string} options.submit The deed, in a word or two.
 * @param {boolean} [options.harmless]
 * @param {() => Promise<void>} options.run
 */
export function confirmation({ title, content, submit, harmless = false, run }) {
  return formDialog({ title, content, submit, danger: harmless ? 'primary' : 'danger', run });
}
