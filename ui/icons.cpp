#include "ui/icons.h"

#include "ui/theme.h"

#include <QFile>
#include <QHash>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

QColor toneColor(IconTone tone)
{
    const ThemeColors &c = themeColors();
    switch (tone) {
    case IconTone::Text:
        return c.text;
    case IconTone::Muted:
        return c.muted;
    case IconTone::Accent:
        return c.accent;
    case IconTone::Danger:
        return c.danger;
    case IconTone::Running:
        return c.running;
    case IconTone::Waiting:
        return c.waiting;
    case IconTone::OnAccent:
        return c.onAccent;
    }
    Q_UNREACHABLE_RETURN(c.text);
}

QPixmap rendered(IconName name, const QColor &color, const QSize &pixels)
{
    const QString key = u"sandpiper/%1/%2/%3x%4"_s.arg(int(name)).arg(color.rgba()).arg(pixels.width()).arg(pixels.height());
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap))
        return pixmap;
    static QHash<IconName, QByteArray> sources;
    QByteArray &source = sources[name];
    if (source.isEmpty()) {
        QFile file(iconFile(name));
        if (file.open(QIODevice::ReadOnly))
            source = file.readAll();
    }
    QByteArray svg = source;
    svg.replace("currentColor", color.name().toLatin1());
    pixmap = QPixmap(pixels);
    pixmap.fill(Qt::transparent);
    QSvgRenderer renderer(svg);
    QPainter painter(&pixmap);
    renderer.render(&painter);
    painter.end();
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

class Engine : public QIconEngine
{
public:
    Engine(IconName name, IconTone tone)
        : m_name(name)
        , m_tone(tone)
    {
    }
    void paint(QPainter *painter, const QRect &rect, QIcon::Mode mode, QIcon::State) override
    {
        paintIcon(painter, rect, m_name, color(mode));
    }
    QPixmap pixmap(const QSize &size, QIcon::Mode mode, QIcon::State state) override
    {
        return scaledPixmap(size, mode, state, 1.0);
    }
    QPixmap scaledPixmap(const QSize &size, QIcon::Mode mode, QIcon::State, qreal scale) override
    {
        // Since Qt 6.8 the size given here is device-independent.
        QPixmap result = rendered(m_name, color(mode), (QSizeF(size) * scale).toSize());
        result.setDevicePixelRatio(scale);
        return result;
    }
    QSize actualSize(const QSize &size, QIcon::Mode, QIcon::State) override { return size; }
    QIconEngine *clone() const override { return new Engine(m_name, m_tone); }
    bool isNull() override { return false; }

private:
    [[nodiscard]] QColor color(QIcon::Mode mode) const
    {
        return mode == QIcon::Disabled ? themeColors().disabled : toneColor(m_tone);
    }
    IconName m_name;
    IconTone m_tone;
};

QString fileName(IconName name)
{
    switch (name) {
    case IconName::Add: return u"add"_s;
    case IconName::Back: return u"back"_s;
    case IconName::Check: return u"check"_s;
    case IconName::ChevronDown: return u"chevron-down"_s;
    case IconName::ChevronRight: return u"chevron-right"_s;
    case IconName::Close: return u"close"_s;
    case IconName::Cloud: return u"cloud"_s;
    case IconName::Command: return u"command"_s;
    case IconName::Computer: return u"computer"_s;
    case IconName::Copy: return u"copy"_s;
    case IconName::Detach: return u"detach"_s;
    case IconName::Down: return u"down"_s;
    case IconName::Download: return u"download"_s;
    case IconName::Error: return u"error"_s;
    case IconName::External: return u"external"_s;
    case IconName::File: return u"file"_s;
    case IconName::Files: return u"files"_s;
    case IconName::Forward: return u"forward"_s;
    case IconName::Import: return u"import"_s;
    case IconName::Info: return u"info"_s;
    case IconName::Key: return u"key"_s;
    case IconName::Label: return u"label"_s;
    case IconName::Link: return u"link"_s;
    case IconName::Lock: return u"lock"_s;
    case IconName::Log: return u"log"_s;
    case IconName::More: return u"more"_s;
    case IconName::Next: return u"next"_s;
    case IconName::Pause: return u"pause"_s;
    case IconName::Refresh: return u"refresh"_s;
    case IconName::Remove: return u"remove"_s;
    case IconName::Rename: return u"rename"_s;
    case IconName::Resume: return u"resume"_s;
    case IconName::Sandbox: return u"sandbox"_s;
    case IconName::Search: return u"search"_s;
    case IconName::Server: return u"server"_s;
    case IconName::Settings: return u"settings"_s;
    case IconName::SplitDown: return u"split-down"_s;
    case IconName::SplitRight: return u"split-right"_s;
    case IconName::Star: return u"star"_s;
    case IconName::Stop: return u"stop"_s;
    case IconName::Terminal: return u"terminal"_s;
    case IconName::Transfers: return u"transfers"_s;
    case IconName::Up: return u"up"_s;
    case IconName::User: return u"user"_s;
    case IconName::Warning: return u"warning"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace

QIcon icon(IconName name, IconTone tone)
{
    return QIcon(new Engine(name, tone)); // QIcon owns it
}

void paintIcon(QPainter *painter, const QRect &rect, IconName name, const QColor &color)
{
    const qreal scale = painter->device() ? painter->device()->devicePixelRatio() : 1.0;
    QPixmap pixmap = rendered(name, color, (QSizeF(rect.size()) * scale).toSize());
    pixmap.setDevicePixelRatio(scale);
    painter->drawPixmap(rect.topLeft(), pixmap);
}

QList<IconName> allIcons()
{
    QList<IconName> names;
    for (int i = 0; i <= int(IconName::Warning); ++i)
        names.append(IconName(i));
    return names;
}

QString iconFile(IconName name)
{
    return u":/icons/"_s + fileName(name) + u".svg"_s;
}

QIcon applicationIcon()
{
    QIcon result;
    for (const int size : {16, 24, 32, 48, 64, 128, 256})
        result.addFile(u":/appicon/%1.png"_s.arg(size), QSize(size, size));
    return result;
}

} // namespace Sandpiper
