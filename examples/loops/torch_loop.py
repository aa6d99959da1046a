"""PyTorch without Keras: a module, an optimizer and a schedule."""

import torch

import wandb_repro

run = wandb_repro.init(project="torch-loop", config={"lr": 0.05, "epochs": 2}, seed=42)

x = torch.randn(512, 8)
y = (x.sum(dim=1, keepdim=True) > 0).float()
wandb_repro.fingerprint("train", x.numpy(), y.numpy())
data = torch.utils.data.TensorDataset(x, y)
loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)

model = torch.nn.Sequential(
    torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.2)
)
model.append(torch.nn.Linear(16, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=run.config["lr"])
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 16)
loss_of = torch.nn.BCEWithLogitsLoss()

watch = wandb_repro.watch(model, optimizers=[optimizer, schedule])
for epoch in range(run.config["epochs"]):
    for inputs, targets in watch.batches(loader):
        optimizer.zero_grad()
        loss = loss_of(model(inputs), targets)
        loss.backward()
        optimizer.step()
        schedule.step()
        watch.step(loss=loss)
    watch.epoch(lr=schedule.get_last_lr()[0])
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
