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
 * @param {string} [options.dismiss] What it is called to leave things as they are.
 * @param {string} [options.danger]
 * @param {() => void} [options.closed] Called in either case.
 * @param {(values: any) => Promise<void>} options.run
 */
export function formDialog({
  title,
  content = [],
  fields = [],
  submit,
  dismiss = 'Cancel',
  danger,
  closed,
  run,
}) {
  return dialog({
    title,
    content,
    closed,
    foot: (close) =>
      form({
        fields,
        submit,
        danger,
        beside: [
          h(
            'button',
            { type: 'button', class: 'button plain', onclick: close, autofocus: danger === 'danger' },
            dismiss,
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
 * @param {string} [options.dismiss]
 * @param {boolean} [options.harmless]
 * @param {() => void} [options.closed]
 * @param {() => Promise<void>} options.run What it throws is told in the dialog.
 */
export function confirmation({ harmless = false, ...options }) {
  return formDialog({ ...options, danger: harmless ? 'primary' : 'danger' });
}

/**
 * The same from within a form, where what goes wrong afterwards is told. Whether the person wants it.
 * @param {Omit<Parameters<typeof confirmation>[0], 'run' | 'closed'>} options
 * @returns {Promise<boolean>}
 */
export function confirmed(options) {
  let wanted = false;
  return new Promise((resolve) => {
    confirmation({
      ...options,
      run: async () => {
        wanted = true;
      },
      closed: () => resolve(wanted),
    });
  });
}
