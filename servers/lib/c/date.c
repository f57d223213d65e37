/* Dates: seconds since 1970 to the calendar and back, in UTC.

   Days are counted from 1 March of year 0 in eras of 400 years, which have 146,097 days
   each; a year that begins in March ends with the day that leap years have more. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY        86400
#define ERA        146097 /* days */
#define DAYS_TO_1970 719468 /* from 1 March of year 0 */

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970 of a day of a month; `month` is 0 to 11. */
static int64_t days_of(int64_t year, int month, int64_t day)
{
	int64_t shifted = year - (month < 2);
	int64_t era = floor_divide(shifted, 400), of_era = shifted - era * 400;
	int64_t of_year = (153 * (month + (month < 2 ? 10 : -2)) + 2) / 5 + day - 1;

	return era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

struct tm *gmtime_r(const time_t *time, struct tm *date)
{
	int64_t days = floor_divide(*time, DAY), rest = *time - days * DAY;
	int64_t since = days + DAYS_TO_1970, era = floor_divide(since, ERA), of_era = since - era * ERA;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA - 1)) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march = (5 * of_year + 2) / 153; /* 0: March */
	int64_t year = era * 400 + year_of_era + (march >= 10);

	if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
		errno = EOVERFLOW;
		return NULL;
	}
	*date = (struct tm){
	    .tm_sec = (int)(rest % 60),
	    .tm_min = (int)(rest / 60 % 60),
	    .tm_hour = (int)(rest / 3600),
	    .tm_mday = (int)(of_year - (153 * march + 2) / 5 + 1),
	    .tm_mon = (int)(march + (march < 10 ? 2 : -10)),
	    .tm_year = (int)(year - 1900),
	    .tm_wday = (int)(days + 4 - floor_divide(days + 4, 7) * 7), /* 1970 began on a Thursday */
	    .tm_yday = (int)(days - days_of(year, 0, 1)),
	};
	return date;
}

time_t timegm(struct tm *date)
{
	int64_t year = 1900 + (int64_t)date->tm_year + floor_divide(date->tm_mon, 12);
	int month = (int)(date->tm_mon - floor_divide(date->tm_mon, 12) * 12);
	time_t time = days_of(year, month, date->tm_mday) * DAY + date->tm_hour * 3600L + date->tm_min * 60L +
	    date->tm_sec;

	return gmtime_r(&time, date) != NULL ? time : -1;
}

time_t mktime(struct tm *date)
{
	return timegm(date);
}

static struct tm shared_date;

struct tm *gmtime(const time_t *time)
{
	return gmtime_r(time, &shared_date);
}

struct tm *localtime_r(const time_t *time, struct tm *date)
{
	return gmtime_r(time, date);
}

struct tm *localtime(const time_t *time)
{
	return gmtime(time);
}

/* --- as text ------------------------------------------------------------------------- */

static const char *const day_names[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char *const month_names[] = {
	"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
	"November", "December",
};

static const char *name_of(const char *const *names, int count, int number)
{
	return number >= 0 && number < count ? names[number] : "?";
}

struct room {
	char *at, *end;
};

/* One field into what room there is; negative: too little. */
static int put_field(struct room *room, char field, const struct tm *date)
{
	const char *day = name_of(day_names, 7, date->tm_wday), *month = name_of(month_names, 12, date->tm_mon);
	size_t size = (size_t)(room->end - room->at);
	long year = 1900L + date->tm_year;
	int hour12 = date->tm_hour % 12 == 0 ? 12 : date->tm_hour % 12;

#define FIELD(...) return snprintf(room->at, size, __VA_ARGS__)
	switch (field) {
	case 'a': FIELD("%.3s", day);
	case 'A': FIELD("%s", day);
	case 'b': case 'h': FIELD("%.3s", month);
	case 'B': FIELD("%s", month);
	case 'c': FIELD("%.3s %.3s %2d %02d:%02d:%02d %ld", day, month, date->tm_mday, date->tm_hour, date->tm_min,
		date->tm_sec, year);
	case 'C': FIELD("%02ld", (long)floor_divide(year, 100));
	case 'd': FIELD("%02d", date->tm_mday);
	case 'D': case 'x':
		FIELD("%02d/%02d/%02ld", date->tm_mon + 1, date->tm_mday, year - floor_divide(year, 100) * 100);
	case 'e': FIELD("%2d", date->tm_mday);
	case 'F': FIELD("%ld-%02d-%02d", year, date->tm_mon + 1, date->tm_mday);
	case 'H': FIELD("%02d", date->tm_hour);
	case 'I': FIELD("%02d", hour12);
	case 'j': FIELD("%03d", date->tm_yday + 1);
	case 'm': FIELD("%02d", date->tm_mon + 1);
	case 'M': FIELD("%02d", date->tm_min);
	case 'n': FIELD("\n");
	case 'p': FIELD("%s", date->tm_hour < 12 ? "AM" : "PM");
	case 'R': FIELD("%02d:%02d", date->tm_hour, date->tm_min);
	case 'S': FIELD("%02d", date->tm_sec);
	case 't': FIELD("\t");
	case 'T': case 'X': FIELD("%02d:%02d:%02d", date->tm_hour, date->tm_min, date->tm_sec);
	case 'u': FIELD("%d", date->tm_wday == 0 ? 7 : date->tm_wday);
	case 'w': FIELD("%d", date->tm_wday);
	case 'y': FIELD("%02ld", year - floor_divide(year, 100) * 100);
	case 'Y': FIELD("%ld", year);
	case 'Z': FIELD("UTC");
	case 'z': FIELD("+0000");
	case '%': FIELD("%%");
	default: FIELD("%%%c", field); /* not one of ours: as it stands */
	}
#undef FIELD
}

size_t strftime(char *restrict to, size_t size, const char *restrict format, const struct tm *restrict date)
{
	struct room room = {to, to + size};

	for (; *format != '\0'; format++) {
		int length = 1;

		if (room.at == room.end)
			return 0;
		if (*format != '%' || format[1] == '\0')
			*room.at = *format;
		else
			length = put_field(&room, *++format, date);
		if (length >= room.end - room.at)
			return 0;
		room.at += length;
	}
	if (room.at == room.end)
		return 0;
	*room.at = '\0';
	return (size_t)(room.at - to);
}

char *asctime_r(const struct tm *date, char text[26])
{
	if (strftime(text, 26, "%c\n", date) != 0)
		return text;
	errno = EOVERFLOW;
	return NULL;
}

static char shared_text[26];

char *asctime(const struct tm *date)
{
	return asctime_r(date, shared_text);
}

char *ctime_r(const time_t *time, char text[26])
{
	struct tm date;

	return gmtime_r(time, &date) != NULL ? asctime_r(&date, text) : NULL;
}

char *ctime(const time_t *time)
{
	return ctime_r(time, shared_text);
}
