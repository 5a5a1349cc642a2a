#include "audio/frame-budget.h"

#include <stdbool.h>

#include "base/macros.h"

static const struct step {
	int complexity;
} steps[] = {{10}, {7}, {5}, {4}, {0}};

static void restart_window(struct frame_budget *b)
{
	b->frames = b->in_danger = b->without_room = 0;
}

static void lower(struct frame_budget *b)
{
	restart_window(b);
	b->windows_with_room = 0;
	if (b->level + 1 == ELEMENTSOF(steps))
		return;
	b->level++;
	if (b->windows_since_raise > 0 &&
	    FRAME_BUDGET_PATIENCE << b->patience_doubled < FRAME_BUDGET_PATIENCE_MAX)
		b->patience_doubled++;
	b->windows_since_raise = 0;
}

static void raise_level(struct frame_budget *b)
{
	b->level--;
	b->windows_with_room = 0;
	b->windows_since_raise = 1;
}

static void end_window(struct frame_budget *b)
{
	unsigned patience = FRAME_BUDGET_PATIENCE << b->patience_doubled;
	bool has_room = b->without_room <= FRAME_BUDGET_OUTLIERS;

	restart_window(b);
	b->windows_with_room = has_room ? b->windows_with_room + 1 : 0;
	/* What was taken back has proved itself. */
	if (b->windows_since_raise > 0 && ++b->windows_since_raise > patience) {
		b->windows_since_raise = 0;
		b->patience_doubled = 0;
	}
	if (b->level > 0 && b->windows_with_room >= patience)
		raise_level(b);
}

void frame_budget_add(struct frame_budget *budget, uint64_t usec)
{
	budget->in_danger += usec > FRAME_BUDGET_DANGER_USEC;
	budget->without_room += usec > FRAME_BUDGET_ROOM_USEC;
	budget->frames++;
	/* Three frames in danger are answered at once, room is looked for at leisure. */
	if (budget->in_danger > FRAME_BUDGET_OUTLIERS)
		lower(budget);
	else if (budget->frames == FRAME_BUDGET_WINDOW)
		end_window(budget);
}

unsigned frame_budget_level_max(void)
{
	return ELEMENTSOF(steps) - 1;
}

int frame_budget_complexity(const struct frame_budget *budget)
{
	return steps[budget->level].complexity;
}
