// Drives the real window step by step: does something, waits for its outcome, takes a picture.
#pragma once

#include <QObject>
#include <QString>

#include <functional>
#include <vector>

namespace Sandpiper {

class Director : public QObject
{
    Q_OBJECT
public:
    struct Step
    {
        QString picture; // its file's name; the number is put before it
        QString claim;   // what has been shown when it passes
        std::function<void()> act;
        std::function<bool()> isThere;
        std::function<void()> afterwards = {}; // once the picture is taken
    };

    // folder: where pictures go. first: the number of the first step.
    Director(const QString &folder, int first, QObject *parent = nullptr);
    void add(Step step) { m_steps.push_back(std::move(step)); }
    void start();
    // What the last step that waits sees, for the report of a failure.
    void setWitness(std::function<QString()> witness) { m_witness = std::move(witness); }

signals:
    void finished(bool passed);

private:
    void begin();
    void look();
    void shoot();
    void report(const QString &word, const QString &text) const;

    QString m_folder;
    int m_number;
    std::vector<Step> m_steps;
    std::size_t m_at = 0;
    qint64 m_waitedMs = 0;
    std::function<QString()> m_witness;
};

} // namespace Sandpiper
