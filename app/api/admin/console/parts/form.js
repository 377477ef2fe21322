/**
 * Forms: labelled fields, and errors beside the field they are about.
 */

import { ApiError } from '../core/api.js';
import { h, uniqueId } from '../core/h.js';
import { reason } from './feedback.js';

/** @typedef {import('../core/h.js').Child} Child */

/** What is wrong with a field, known before anything is sent. */
export class FieldError extends Error {
  /**
   * @param {string} field Its name.
   * @param {string} message
   */
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/**
 * A field under its label.
 * @param {string} label
 * @param {any} control An element with a name: input, select or textarea.
 * @param {Child} [hint]
 */
export function field(label, control, hint) {
  const id = control.id || uniqueId();
  control.id = id;
  const parts = [`${id}-hint`, `${id}-error`];
  control.setAttribute('aria-describedby', (hint ? parts : parts.slice(1)).join(' '));
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    control,
    hint && h('p', { class: 'hint', id: parts[0] }, hint),
    h('p', { class: 'field-error', id: parts[1], 'aria-live': 'polite' }),
  );
}

/** @param {Record<string, unknown>} props */
export function input(props) {
  return h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...props });
}

/**
 * @param {Record<string, unknown>} props
 * @param {[string, string][]} options Values and texts.
 * @param {string} [chosen]
 */
export function select(props, options, chosen) {
  return h(
    'select',
    props,
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
}

/**
 * @param {string} label
 * @param {Record<string, unknown>} props
 * @param {Child} [hint]
 */
export function checkbox(label, props, hint) {
  const id = uniqueId();
  return h(
    'div',
    { class: 'check' },
    h('input', { type: 'checkbox', id, 'aria-describedby': hint ? `${id}-hint` : null, ...props }),
    h('label', { for: id }, label),
    hint && h('p', { class: 'hint', id: `${id}-hint` }, hint),
  );
}

/**
 * @param {object} options
 * @param {Child[]} options.fields
 * @param {Child} options.submit The button's text.
 * @param {(values: any) => Promise<void>} options.run Gets each control's value by its name. What it throws is
 *   told in the form.
 * @param {string} [options.danger] A class for the button.
 * @param {Child[]} [options.beside] Further buttons.
 */
export function form({ fields, submit, run, danger, beside }) {
  const foot = h('p', { class: 'trouble', role: 'alert', hidden: true });
  const button = h('button', { class: `button ${danger ?? 'primary'}` }, submit);
  const element = h(
    'form',
    { novalidate: true },
    fields,
    foot,
    h('div', { class: 'buttons' }, button, beside),
  );
  element.addEventListener('submit', async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (button.getAttribute('aria-disabled') === 'true') return; // it is on its way
    clear(element, foot);
    if (!complete(element)) return;
    button.setAttribute('aria-disabled', 'true');
    try {
      await run(valuesOf(element));
    } catch (error) {
      if (error instanceof ApiError || error instanceof Error) tell(element, foot, error);
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
  return element;
}

/** @param {HTMLFormElement} element */
export function valuesOf(element) {
  /** @type {Record<string, string | boolean>} */
  const values = {};
  for (const control of /** @type {Iterable<any>} */ (element.elements)) {
    if (control.name) values[control.name] = control.type === 'checkbox' ? control.checked : control.value;
  }
  return values;
}

/**
 * The browser's own checks, told in our place.
 * @param {HTMLFormElement} element
 */
function complete(element) {
  const wrong = [.../** @type {Iterable<any>} */ (element.elements)].filter(
    (one) => one.name && !one.checkValidity(),
  );
  for (const control of wrong) {
    mark(control, control.validity.valueMissing ? 'Fill this in.' : control.validationMessage);
  }
  wrong[0]?.focus();
  return wrong.length === 0;
}

/**
 * At the field that it is about, else at the form's foot.
 * @param {HTMLFormElement} element
 * @param {HTMLElement} foot
 * @param {Error} error
 */
function tell(element, foot, error) {
  const controls = [.../** @type {Iterable<any>} */ (element.elements)].filter(
    ({ name, type }) => name && type !== 'hidden',
  );
  const subject = controls.find(({ name }) => name === fieldOf(error, controls));
  const text = inLabels(reason(error), controls);
  if (subject) {
    mark(subject, text);
    subject.focus();
    return;
  }
  foot.hidden = false;
  foot.textContent = text;
}

/**
 * The name of the field that an error is about: of those in an API's message the first.
 * @param {Error} error
 * @param {{ name: string }[]} controls
 */
function fieldOf(error, controls) {
  if (error instanceof FieldError) return error.field;
  if (!(error instanceof ApiError && [400, 403, 409].includes(error.status))) return undefined;
  const names = controls.map(({ name }) => name);
  return new RegExp(`\\b(?:${names.join('|')})\\b`).exec(error.message)?.[0];
}

/**
 * Names that only the API knows, as their fields are labelled.
 * @param {string} text
 * @param {{ name: string, labels: NodeListOf<HTMLLabelElement> }[]} controls
 */
function inLabels(text, controls) {
  return controls
    .filter(({ name }) => name.includes('_'))
    .reduce(
      (told, { name, labels }) =>
        told.replace(new RegExp(`\\b${name}\\b`, 'gi'), `“${labels[0].textContent}”`),
      text,
    );
}

/**
 * @param {any} control
 * @param {string} text
 */
function mark(control, text) {
  control.closest('details')?.setAttribute('open', '');
  control.setAttribute('aria-invalid', 'true');
  const place = document.getElementById(`${control.id}-error`);
  if (place) place.textContent = text;
}

/**
 * @param {HTMLFormElement} element
 * @param {HTMLElement} foot
 */
function clear(element, foot) {
  foot.hidden = true;
  for (const control of element.elements) control.removeAttribute('aria-invalid');
  for (const place of element.querySelectorAll('.field-error')) place.textContent = '';
}
