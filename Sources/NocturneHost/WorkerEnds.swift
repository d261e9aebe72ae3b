// WorkerEnds.swift — the descriptors between the host and a new worker, both sides.

import CLinux
import Glibc

extension Worker {
    /// Both ends of a worker's pipes and of its control socket.
    struct Ends {
        /// The host's: write end of the worker's doorbell, control socket, read ends of the host's doorbell and of
        /// output.
        private(set) var doorbell: Int32 = -1
        private(set) var control: Int32 = -1
        private(set) var hostDoorbell: Int32 = -1
        private(set) var output: Int32 = -1
        private(set) var errors: Int32 = -1
        /// The worker's, in the order of WIRE_FILES without the memory files.
        private(set) var workerSide: [Int32] = []

        init() throws(SystemError) {
            do throws(SystemError) {
                let stdout = try Self.pipe(CLINUX_READ_NONBLOCKING)
                output = stdout.read
                workerSide.append(stdout.write)
                let stderr = try Self.pipe(CLINUX_READ_NONBLOCKING)
                errors = stderr.read
                workerSide.append(stderr.write)
                var sockets: [Int32] = [-1, -1]
                try SystemError.check(clinux_socket_pair(&sockets), "create a socket pair")
                control = sockets[0]
                workerSide.append(sockets[1])
                let bell = try Self.pipe(CLINUX_WRITE_NONBLOCKING)
                workerSide += [bell.read, bell.write]
                // The worker could make its own end blocking. Ours is opened anew: a description of its own.
                doorbell = try SystemError.check(
                    Self.reopen(bell.write), "reopen a doorbell through /proc/self/fd")
                let hostBell = try Self.pipe(CLINUX_READ_NONBLOCKING | CLINUX_WRITE_NONBLOCKING)
                hostDoorbell = hostBell.read
                workerSide.append(hostBell.write)
            } catch {
                closeWorkerSide()
                closeHostSide()
                throw error
            }
        }

        /// Once the zygote has them, or never will.
        func closeWorkerSide() {
            for descriptor in workerSide { Glibc.close(descriptor) }
        }

        /// Only as long as no ``Worker`` has them.
        func closeHostSide() {
            for descriptor in [doorbell, control, hostDoorbell, output, errors]
            where descriptor >= 0 {
                Glibc.close(descriptor)
            }
        }

        private static func pipe(_ flags: Int32) throws(SystemError) -> (read: Int32, write: Int32)
        {
            var ends: [Int32] = [-1, -1]
            try SystemError.check(clinux_pipe(&ends, flags), "create a pipe")
            return (ends[0], ends[1])
        }

        private static func reopen(_ descriptor: Int32) -> Int32 {
            let opened = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            return opened >= 0 ? opened : -errno
        }
    }
}
