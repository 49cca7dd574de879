#include "tests/tour/director.h"

#include <QGuiApplication>
#include <QPixmap>
#include <QScreen>
#include <QTimer>

#include <chrono>
#include <cstdio>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr auto glance = 100ms;
constexpr auto settling = 400ms; // for fades and the terminal's own repaint timer
constexpr auto patience = 90s;   // two slow cores, first start of everything

} // namespace

Director::Director(const QString &folder, int first, QObject *parent)
    : QObject(parent)
    , m_folder(folder)
    , m_number(first)
{
}

void Director::start()
{
    begin();
}

void Director::begin()
{
    if (m_at == m_steps.size()) {
        emit finished(true);
        return;
    }
    m_waitedMs = 0;
    if (m_steps.at(m_at).act)
        m_steps.at(m_at).act();
    QTimer::singleShot(glance, this, &Director::look);
}

void Director::look()
{
    const Step &step = m_steps.at(m_at);
    if (step.isThere()) {
        QTimer::singleShot(settling, this, &Director::shoot);
        return;
    }
    m_waitedMs += std::chrono::milliseconds(glance).count();
    if (m_waitedMs < std::chrono::milliseconds(patience).count()) {
        QTimer::singleShot(glance, this, &Director::look);
        return;
    }
    QGuiApplication::primaryScreen()->grabWindow(0).save(m_folder + u"/failed.png"_s);
    report(u"FAILED"_s, step.claim);
    if (m_witness)
        report(u"saw"_s, m_witness());
    emit finished(false);
}

void Director::shoot()
{
    const Step &step = m_steps.at(m_at);
    const QString file = u"%1/%2-%3.png"_s.arg(m_folder).arg(m_number, 2, 10, QChar(u'0')).arg(step.picture);
    if (!QGuiApplication::primaryScreen()->grabWindow(0).save(file)) {
        report(u"FAILED"_s, u"the picture %1 could not be written"_s.arg(file));
        emit finished(false);
        return;
    }
    report(u"ok"_s, step.claim);
    ++m_number;
    ++m_at;
    if (step.afterwards)
        step.afterwards();
    begin();
}

void Director::report(const QString &word, const QString &text) const
{
    std::printf("%s %d %s\n", qUtf8Printable(word), m_number, qUtf8Printable(text));
    std::fflush(stdout);
}

} // namespace Sandpiper
