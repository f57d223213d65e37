/*
 * Dates, and command lines.
 */
#include <machemu/personality_logic.h>

#define SECONDS_OF_DAY 86400

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

void calendar_of(int64_t seconds, calendar_t *date)
{
	int64_t days = seconds / SECONDS_OF_DAY;
	int rest = (int)(seconds % SECONDS_OF_DAY);

	date->weekday = (int)((days + 4) % 7); /* 1 January 1970 was a Thursday */
	date->hour = rest / 3600;
	date->minute = rest / 60 % 60;
	date->second = rest % 60;
	date->year = 1970;
	while (days >= (is_leap(date->year) ? 366 : 365))
		days -= is_leap(date->year++) ? 366 : 365;
	date->month = 1;
	while (days >= days_of_month(date->year, date->month))
		days -= days_of_month(date->year, date->month++);
	date->day = (int)days + 1;
}

static bool is_blank(char letter)
{
	return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

/* Copies one argument with its NUL; null if it does not fit or stays open. */
static const char *copy_argument(const char *line, bool quotes, char *to, size_t room, size_t *used)
{
	bool open = false;

	for (; *line != '\0' && (open || !is_blank(*line)); line++) {
		if (quotes && line[0] == '\\' && line[1] == '"') {
			line++;
		} else if (quotes && *line == '"') {
			open = !open;
			continue;
		}
		if (*used + 1 >= room)
			return NULL;
		to[(*used)++] = *line;
	}
	if (open || *used >= room)
		return NULL;
	to[(*used)++] = '\0';
	return line;
}

size_t command_line_split(const char *line, bool quotes, char *arguments, size_t room)
{
	size_t used = 0;

	for (;;) {
		while (is_blank(*line))
			line++;
		if (*line == '\0')
			return used;
		line = copy_argument(line, quotes, arguments, room, &used);
		if (line == NULL)
			return 0;
	}
}
