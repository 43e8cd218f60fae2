/**
 * The training loop. A run that can be interrupted at any step and goes on as if nothing had happened:
 *
 * <pre>{@code
 * try (Scope scope = Scope.open("run", backend)) {
 *     Generator.current().manualSeed(42); // the initial weights
 *     Module model = Sequential.of(new Flatten(), new Dense(32, 16), ActivationLayer.relu(), new Dense(16, 3));
 *     Optimizer optimizer = new Sgd(model.parameters(), 0.9, false, UpdateRules.weightDecay(5e-4));
 *     Schedule rate = Schedule.cosine(0.05, 0, 20L * training.batchesPerEpoch());
 *     Trainer trainer = Trainer.builder(model, optimizer, rate, Loss.crossEntropy(), training)
 *             .validation(validation)
 *             .seed(42)
 *             .checkpoints(CheckpointStore.open(folder.resolve("checkpoints"), 3))
 *             .callback(new HistoryWriter(folder))
 *             .callback(new EarlyStopping(Monitor.of("val_loss"), 5))
 *             .build();
 *     trainer.resume(); // does nothing in a new folder
 *     trainer.fit(20);
 *     Evaluation result = trainer.evaluate(validation);
 *     System.out.println(ClassificationReport.of(result.confusion(), List.of("cats", "dogs", "panda")));
 * }
 * }</pre>
 */
package tenon.optim.train;
