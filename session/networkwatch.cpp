#include "session/networkwatch.h"

#include <QLoggingCategory>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcNetwork, "sandpiper.session.network", QtInfoMsg)

namespace {

// "interface address", sorted, of interfaces that work; without those of this computer alone. Routers
// repeat themselves all day, so what counts is whether anything is different afterwards.
QByteArrayList currentAddresses()
{
    ifaddrs *first = nullptr;
    if (::getifaddrs(&first) != 0)
        return {};
    QByteArrayList found;
    for (const ifaddrs *one = first; one != nullptr; one = one->ifa_next) {
        const bool works = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_RUNNING) != 0;
        if (one->ifa_addr == nullptr || !works || (one->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        const int family = one->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6)
            continue;
        std::array<char, NI_MAXHOST> text = {};
        const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        if (::getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
            found.append(QByteArray(one->ifa_name) + ' ' + text.data());
    }
    ::freeifaddrs(first);
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace

NetworkWatch::NetworkWatch(std::chrono::milliseconds settling, QObject *parent)
    : QObject(parent)
{
    m_settling.setSingleShot(true);
    m_settling.setInterval(settling);
    connect(&m_settling, &QTimer::timeout, this, &NetworkWatch::settled);
    watchAddresses();
    watchClock();
    m_addresses = currentAddresses();
}

NetworkWatch::~NetworkWatch() = default;

void NetworkWatch::watchAddresses()
{
    m_news = FileDescriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address = {};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (!m_news.isValid() || ::bind(m_news.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
        // Not everywhere allowed, and nothing depends on it: connections have their own keep-alive.
        qCInfo(lcNetwork) << "changes of the network cannot be watched";
        m_news.reset();
        return;
    }
    m_newsBell = std::make_unique<QSocketNotifier>(m_news.get(), QSocketNotifier::Read);
    connect(m_newsBell.get(), &QSocketNotifier::activated, this, &NetworkWatch::takeNews);
}

void NetworkWatch::takeNews()
{
    // What it says does not matter, also not that some was dropped (ENOBUFS): the addresses are read anew.
    std::array<char, 8192> news = {};
    while (::recv(m_news.get(), news.data(), news.size(), 0) > 0 || errno == ENOBUFS) { }
    m_settling.start();
}

void NetworkWatch::watchClock()
{
    m_clock = FileDescriptor(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!m_clock.isValid())
        return;
    m_clockBell = std::make_unique<QSocketNotifier>(m_clock.get(), QSocketNotifier::Read);
    connect(m_clockBell.get(), &QSocketNotifier::activated, this, &NetworkWatch::clockJumped);
    armClock();
}

void NetworkWatch::armClock()
{
    itimerspec never = {};
    never.it_value.tv_sec = std::time(nullptr) + 10L * 365 * 24 * 3600;
    ::timerfd_settime(m_clock.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
}

void NetworkWatch::clockJumped()
{
    quint64 count = 0;
    if (::read(m_clock.get(), &count, sizeof count) < 0 && errno == EAGAIN)
        return;
    armClock();
    m_jumped = true;
    m_settling.start();
}

void NetworkWatch::settled()
{
    QByteArrayList now = currentAddresses();
    const bool jumped = std::exchange(m_jumped, false);
    if (!jumped && now == m_addresses)
        return;
    qCInfo(lcNetwork) << (jumped ? "the computer has woken up, or its clock was set" : "the network has changed");
    m_addresses = std::move(now);
    emit changed();
}

} // namespace Sandpiper
