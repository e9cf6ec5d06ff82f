import Foundation
import Glibc

/// Returns the numbers of the descriptors that a process has open.
///
/// - Parameter process: The process id, or `self`.
/// - Returns: The numbers.
/// - Throws: An error if there is no such process, or it is another user's.
func descriptors(of process: String) throws -> Set<Int> {
    Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").compactMap { Int($0) })
}

/// The kernel's information about a running program.
extension WeirProgram {
    /// The processor time of all its threads.
    package var processorTime: Duration {
        get throws {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
            let nanoseconds = threads.reduce(Int64(0)) { sum, thread in
                // A thread that has just ended has no file any more.
                let text = try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/schedstat", encoding: .utf8)
                return sum + (text?.split(separator: " ").first.flatMap { Int64($0) } ?? 0)
            }
            return .nanoseconds(nanoseconds)
        }
    }

    /// Measures the program's share of one processor over a period: the least of three parts of it.
    ///
    /// A program that is busy is so in all of them. On a virtual machine a thread's time includes that in which the host had taken the
    /// processor away, which can be a whole part.
    package func processorShare(during time: Duration) async throws -> Double {
        var least = Double.infinity
        for _ in 0..<3 {
            let (clock, start, before) = (ContinuousClock(), ContinuousClock.now, try processorTime)
            try await clock.sleep(for: time / 3)
            least = min(least, (try processorTime - before) / (clock.now - start))
        }
        return least
    }

    /// The numbers of its descriptors.
    package var descriptors: Set<Int> {
        get throws { try Support.descriptors(of: "\(process)") }
    }

    /// Limits the program's descriptors so that it can open only `count` more.
    package func leaveDescriptors(_ count: Int) throws {
        let open = try descriptors
        let free = (0..<(open.count + count + 1)).filter { !open.contains($0) }
        try limitDescriptors(to: free[count])
    }

    /// Waits until the program has so many descriptors: its flows end a moment after their peers.
    package func waitForDescriptors(count: Int) throws {
        let deadline = Deadline()
        while try descriptors.count != count {
            if deadline.isOver {
                throw HelperError("the program has \(try descriptors.count) descriptors, not \(count)")
            }
            poll(nil, 0, 5)
        }
    }

    /// Waits until the program has exactly these descriptors: its flows end a moment after their peers.
    package func waitForDescriptors(_ expected: Set<Int>) throws {
        let deadline = Deadline()
        while true {
            let others = try descriptors.symmetricDifference(expected).sorted().map { number in
                let path = "/proc/\(process)/fd/\(number)"
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
                return "\(number) \(target ?? "closed")"
            }
            // Swift's runtime makes its timers when it first needs them.
            if others.allSatisfy({ $0.hasSuffix("anon_inode:[timerfd]") }) { return }
            if deadline.isOver { throw HelperError("other descriptors than \(expected.sorted()): \(others)") }
            sched_yield()
        }
    }

    /// Sets the limit on its descriptors with prlimit(1); the program must not raise the limit itself meanwhile.
    package func limitDescriptors(to count: Int) throws {
        let ended = try ChildProgram.run("prlimit", ["--pid", "\(process)", "--nofile=\(count):"])
        guard ended.status == 0 else { throw HelperError("prlimit: \(ended.output)") }
    }

    /// The anonymous resident memory of the program, in bytes.
    package var memory: Int {
        get throws {
            let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
                let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
            else { throw HelperError("no RssAnon of \(process)") }
            return kilobytes << 10
        }
    }

    /// Returns the command that starts a program with a limit on its descriptors that it cannot raise.
    package static func withDescriptors(_ count: Int) -> [String] {
        ["sh", "-c", "ulimit -n \(count); exec \"$0\" \"$@\""]
    }
}
