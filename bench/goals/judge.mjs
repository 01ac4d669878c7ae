// From what was measured to what is met.

function find(results, { section, load, receiver }) {
  const found = results.sections.find(({ id }) => id === section)
  const fits = (one) => one.load.name === load && one.receiver === receiver
  return found?.measured.find(fits) ?? found?.rates.find(fits)
}

/** One line for each row of each goal. */
export function judge(goals, results) {
  return goals.flatMap(({ id, title, rows }) =>
    rows.map(({ what, needs, goal, met, show, value }) => {
      const found = needs.map((need) => find(results, need))
      if (found.includes(undefined)) return { id, title, what, goal, value: '', verdict: 'not measured' }
      const measured = value(...found)
      return { id, title, what, goal, value: show(measured), verdict: met(measured) ? 'met' : 'not met' }
    }),
  )
}
