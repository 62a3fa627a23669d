/* A PKCS#11 module between us and a real one, that misbehaves as the environment says. Numbers may be 0x...

   P11SHIM_REAL=real.so             the real module
   P11SHIM_LOGIN=0xa4               C_Login gives this
   P11SHIM_SIGN=0x32@5              C_Sign gives this from the 5th signature on
   P11SHIM_SIGN_ONCE=0xb3@2         C_Sign gives this at the 2nd signature only
   P11SHIM_CRASH=11@3               C_Sign crashes with this signal at the 3rd signature
   P11SHIM_OPEN=0xb1@2              C_OpenSession gives this while 1 session is open already
   P11SHIM_CANTLOCK=1               C_Initialize refuses to lock with what the system has
   P11SHIM_HIDE=0x1,0x3             mechanisms not listed
   P11SHIM_TOKENFLAGS=0x100         or-ed into the token's flags
   P11SHIM_BLANK=2                  C_GetTokenInfo says "not initialised" two times
   P11SHIM_LOGIN_AGAIN=0xa0@2       C_Login for one signature gives this from the 2nd time on
   P11SHIM_PADPIN=1234              what is "typed" at the reader: C_Login without PIN works
   P11SHIM_START=file               C_Initialize takes until there is such a file, five minutes at most
   P11SHIM_LATENCY_US=5000          C_Sign takes this much longer
   P11SHIM_CREATE=0x31@2            C_CreateObject gives this from the 2nd object on
   P11SHIM_READS=1                  C_GetAttributeValue is logged, too
   P11SHIM_LOG=file                 one line per C_Login, C_Logout, C_OpenSession, C_Initialize, C_Finalize */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
typedef unsigned long U;
typedef struct { unsigned char version[2]; void *f[68]; } List;
enum { INITIALIZE = 0, FINALIZE = 1, GETLIST = 3, TOKENINFO = 6, MECHANISMS = 7, OPEN = 12, CLOSE = 13, LOGIN = 18, LOGOUT = 19, CREATE = 20, READ = 24, SIGN = 43 };
static List mine, *real;
static long signatures, sessions, again, objects, looks;
static void say(const char *what) {
  char *name = getenv("P11SHIM_LOG");
  FILE *file = name ? fopen(name, "a") : 0;
  if (file) { fprintf(file, "%d %s\n", (int)getpid(), what); fclose(file); }
}
static U number(const char *name) { char *e = getenv(name); return e ? strtoul(e, 0, 0) : 0; }
static long from(const char *name) { char *e = getenv(name), *at = e ? strchr(e, '@') : 0; return at ? atol(at + 1) : 1; }
static void start(void) {
  char *file = getenv("P11SHIM_START");
  for (int n = 0; file && access(file, F_OK) && n < 30000; n++) usleep(10000);
}
static U Initialize(void *a) { start(); say("initialize"); if (a && number("P11SHIM_CANTLOCK")) return 0xa; return ((U (*)(void *))real->f[INITIALIZE])(a); }
static U Finalize(void *a) { say("finalize"); sessions = 0; return ((U (*)(void *))real->f[FINALIZE])(a); }
static U TokenInfo(U slot, char *info) {
  U r = ((U (*)(U, void *))real->f[TOKENINFO])(slot, info);
  if (!r) *(U *)(info + 96) |= number("P11SHIM_TOKENFLAGS");
  if (!r && number("P11SHIM_BLANK") >= (U)__sync_add_and_fetch(&looks, 1)) *(U *)(info + 96) &= ~0x400UL;
  return r;
}
static int hidden(U mechanism) {
  char *e = getenv("P11SHIM_HIDE");
  while (e && *e) { if (strtoul(e, &e, 0) == mechanism) return 1; while (*e == ',') e++; }
  return 0;
}
static U Mechanisms(U slot, U *list, U *count) {
  U r = ((U (*)(U, U *, U *))real->f[MECHANISMS])(slot, list, count), n = 0, i;
  if (!r && list) { for (i = 0; i < *count; i++) if (!hidden(list[i])) list[n++] = list[i]; *count = n; }
  return r;
}
static U Open(U slot, U flags, void *a, void *n, U *session) {
  U e = number("P11SHIM_OPEN"), r;
  if (e && sessions + 1 >= from("P11SHIM_OPEN")) return e;
  say("open");
  r = ((U (*)(U, U, void *, void *, U *))real->f[OPEN])(slot, flags, a, n, session);
  if (!r) __sync_add_and_fetch(&sessions, 1);
  return r;
}
static U Close(U session) { __sync_sub_and_fetch(&sessions, 1); return ((U (*)(U))real->f[CLOSE])(session); }
static U Login(U session, U who, unsigned char *pin, U size) {
  U e = number("P11SHIM_LOGIN");
  char *pad = getenv("P11SHIM_PADPIN");
  say(who == 2 ? "login again" : "login");
  if (e) return e;
  if (who == 2 && number("P11SHIM_LOGIN_AGAIN") && __sync_add_and_fetch(&again, 1) >= from("P11SHIM_LOGIN_AGAIN"))
    return number("P11SHIM_LOGIN_AGAIN");
  if (!pin && pad) { pin = (unsigned char *)pad; size = strlen(pad); }
  return ((U (*)(U, U, unsigned char *, U))real->f[LOGIN])(session, who, pin, size);
}
static U Logout(U session) { say("logout"); return ((U (*)(U))real->f[LOGOUT])(session); }
static U Create(U session, void *template, U count, U *object) {
  if (number("P11SHIM_CREATE") && __sync_add_and_fetch(&objects, 1) >= from("P11SHIM_CREATE")) return number("P11SHIM_CREATE");
  return ((U (*)(U, void *, U, U *))real->f[CREATE])(session, template, count, object);
}
static U Read(U session, U object, void *template, U count) {
  if (number("P11SHIM_READS")) say("read");
  return ((U (*)(U, U, void *, U))real->f[READ])(session, object, template, count);
}
static void crash(void) {
  struct rlimit none = {0, 0}; /* no core file */
  say("crash");
  setrlimit(RLIMIT_CORE, &none);
  raise((int)number("P11SHIM_CRASH"));
}
static U Sign(U session, void *data, U size, void *out, U *length) {
  long n;
  if (out) {
    if (number("P11SHIM_LATENCY_US")) usleep(number("P11SHIM_LATENCY_US"));
    n = __sync_add_and_fetch(&signatures, 1);
    if (number("P11SHIM_CRASH") && n >= from("P11SHIM_CRASH")) crash();
    if (number("P11SHIM_SIGN") && n >= from("P11SHIM_SIGN")) return number("P11SHIM_SIGN");
    if (number("P11SHIM_SIGN_ONCE") && n == from("P11SHIM_SIGN_ONCE")) return number("P11SHIM_SIGN_ONCE");
  }
  return ((U (*)(U, void *, U, void *, U *))real->f[SIGN])(session, data, size, out, length);
}
U C_GetFunctionList(List **out) {
  if (!real) {
    void *h = dlopen(getenv("P11SHIM_REAL"), RTLD_NOW);
    U (*get)(List **) = h ? (U (*)(List **))dlsym(h, "C_GetFunctionList") : 0;
    if (!get || get(&real)) return 5;
  }
  mine = *real;
  mine.f[INITIALIZE] = Initialize; mine.f[FINALIZE] = Finalize; mine.f[GETLIST] = C_GetFunctionList;
  mine.f[TOKENINFO] = TokenInfo; mine.f[MECHANISMS] = Mechanisms; mine.f[OPEN] = Open; mine.f[CLOSE] = Close;
  mine.f[LOGIN] = Login; mine.f[LOGOUT] = Logout; mine.f[SIGN] = Sign;
  mine.f[CREATE] = Create; mine.f[READ] = Read;
  *out = &mine;
  return 0;
}
